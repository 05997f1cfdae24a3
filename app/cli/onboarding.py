"""`onboarding`: say what to enter in Meta's dashboard, and where. It calls no service and reads no secret."""

from urllib.parse import urlsplit

import click

from app.cli.options import as_json_option, config_options
from app.cli.tables import print_json
from app.config import Flags, dry_run_settings, secret_variables
from app.config.errors import InvalidValue
from app.config.hosts import is_loopback
from app.config.schema.urls import SERVICE_URL

FIELDS = (
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "phone_number_quality_update",
    "account_update",
    "account_alerts",
    "business_capability_update",
    "user_id_update",
    "user_preferences",
)
"""The webhook fields that the gateway itself reacts to; an application may want more."""


STEPS = """\
Callback URL:  {callbackUrl}
Verify token:  the value of {verifyTokenVariable}

The service must be running and reachable before step 3: Meta calls it at once.

1. An app. developers.facebook.com > My Apps: your app, or Create App with the use case "Connect with customers
   through WhatsApp". App settings > Basic > App secret is the value of {appSecretVariable}.
   Publish the app: one that is not published gets only test webhooks.
2. A token. business.facebook.com > Settings > Users > System users: give an admin system user full control of the app
   and of the WhatsApp account, then Generate token: expiration never, with whatsapp_business_messaging and
   whatsapp_business_management. It is the value of {accessTokenVariable}.
3. The webhook. Your app > Use cases > Connect with customers through WhatsApp > Customize > Configuration > Webhook:
   enter the callback URL and the verify token > Verify and save. (In an app without use cases: WhatsApp >
   Configuration.)
4. The fields. In the same place, subscribe to:
{field_lines}
5. The account. Saving the webhook does not always subscribe the app to your WhatsApp account.
   `flask wats doctor --live` says whether it is, and what to do if it is not.
6. The payment. business.facebook.com > WhatsApp Manager > Account tools > Payment: without a payment method messages
   fail with 131042 once the free ones of a month are used up.

Then send a message from your phone to the business number, and look at it with `flask wats events list`.
"Test" beside a field posts a sample of another account: it is stored as foreign, and not delivered.\
"""


def read_public_url(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """Return an https URL that Meta can call, without a slash at its end. Raise `BadParameter`, without the URL."""
    if given is None:
        return None
    try:
        url = str(SERVICE_URL.read(given))
    except InvalidValue as invalid:
        raise click.BadParameter(invalid.message) from invalid
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise click.BadParameter("https is needed: Meta calls nothing else")
    if is_loopback(parts.hostname or ""):
        raise click.BadParameter("Meta cannot reach loopback; give the address of the proxy or the tunnel")
    return url


@click.command("onboarding")
@config_options
@click.option(
    "--public-url",
    callback=read_public_url,
    metavar="URL",
    required=True,
    help="Where Meta reaches the service: https, without user info, query or fragment.",
)
@as_json_option
def onboarding_command(flags: Flags, public_url: str, as_json: bool) -> None:
    """Print the callback URL, and the steps in Meta's dashboard."""
    settings, variables = dry_run_settings(flags), secret_variables(flags)
    facts = {
        "callbackUrl": public_url + settings.webhook.path,
        "verifyTokenVariable": variables["webhook.verifyToken"],
        "appSecretVariable": variables["webhook.appSecret"],
        "accessTokenVariable": variables["auth.accessToken"],
        "fields": list(FIELDS),
    }
    if as_json:
        print_json(facts)
    else:
        click.echo(STEPS.format(**facts, field_lines="\n".join(f"     {name}" for name in FIELDS)))
