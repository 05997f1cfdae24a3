"""`webhook`: generate the webhook's credentials, and post webhooks as Meta does."""

import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.new_secrets import new_destination_secret, new_token
from app.cli.options import meta_client_options
from app.cli.progress import count_of
from app.cli.sample_types import types_like
from app.cli.sample_webhooks import NotInSample, Sample, check_sample, webhook_of
from app.config import ApiAccess, WebhookSigning
from app.graph.fake.accounts import Accounts
from app.graph.fake.switches import Switches
from app.graph.fake.webhooks import headers_of

MAX_BATCH = 1000
"""Meta puts at most this many updates into a webhook."""

ALERT_FOLLOWS = (
    "the service now raises the alert webhooks_refused (signature_mismatch): `flask wats status` shows it within a"
    " minute. It is over a minute after the last one, once a webhook with the right signature is accepted:"
    " send one without --bad-signature."
)


@click.group("webhook")
def webhook_group() -> None:
    """Generate credentials, and post webhooks to a running service as Meta does."""


@webhook_group.command("token")
@click.option("--destination", is_flag=True, help="A destination's secret (whsec_…), as Standard Webhooks wants it.")
def token(destination: bool) -> None:
    """Print a new random token, for use as a verify token or a service token, or a destination's secret."""
    click.echo(new_destination_secret() if destination else new_token())


def _customer(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    digits = None if given is None else given.removeprefix("+")
    if digits is not None and not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise click.BadParameter("a phone number with its country code is needed, such as +4915112345678")
    return digits


@webhook_group.command("send")
@meta_client_options
@click.argument("type_", metavar="[TYPE]", required=False)
@click.option("--list", "lists", is_flag=True, help="Print every TYPE, and post nothing.")
@click.option(
    "--from", "customer", callback=_customer, help="The customer's phone number, in place of the example's."
)
@click.option("--text", help="The text or the caption, in place of the example's.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many webhooks.")
@click.option(
    "--batch",
    type=click.IntRange(1, MAX_BATCH),
    default=1,
    show_default=True,
    help="How many updates in each webhook.",
)
@click.option("--duplicate", is_flag=True, help="Post each webhook twice: Meta repeats what was not acknowledged.")
@click.option(
    "--bad-signature", is_flag=True, help="Sign with another secret: the service refuses it, and raises an alert."
)
def send(
    access: ApiAccess,
    signing: WebhookSigning,
    type_: str | None,
    lists: bool,
    customer: str | None,
    text: str | None,
    count: int,
    batch: int,
    duplicate: bool,
    bad_signature: bool,
) -> None:
    """Post a signed webhook with the example of an event TYPE, such as message.text, to a running service.

    TYPE may have an asterisk: 'message.*' sends one of each in one webhook. docs/events.md shows the examples. The
    account and the number are those of the profile; ids and times are new. Without --live the secrets are those of a
    dry-run; with --live and --yes-live a live service takes the webhook for one of Meta's, and pushes its events.
    """
    if lists:
        click.echo("\n".join(types_like("*")))
        return
    sample = Sample(signing.whatsapp.waba_id, signing.whatsapp.phone_number_ids[0], customer, text)
    types = checked_types(type_, sample)
    post = partial(_post, Client(access), signing, bad_signature=bad_signature)
    bodies = _webhooks(sample, types, count=count, batch=batch)
    answers = Counter(post(body) for body in bodies for _ in range(2 if duplicate else 1))
    counts = ", ".join(f"{number} {answer}" for answer, number in answers.items())
    click.echo(f"done: {count_of(count, 'webhook')} with {count_of(batch * len(types), 'update')} each: {counts}")
    if bad_signature:
        click.echo(ALERT_FOLLOWS, err=True)


def _post(client: Client, signing: WebhookSigning, body: bytes, *, bad_signature: bool) -> str:
    """Post one webhook, and return how it was answered."""
    accounts = Accounts((), app_secret=signing.app_secret.current)
    headers = headers_of(body, accounts, Switches(signed="wrongly") if bad_signature else Switches())
    return client.post_webhook(signing.path, body, headers, is_refused=bad_signature)


def checked_types(pattern: str | None, sample: Sample) -> list[str]:
    """Return the types that a pattern matches, whose examples have a place for what is given."""
    if pattern is None:
        raise click.UsageError("Give a TYPE, such as message.text; --list prints all.")
    types = types_like(pattern)
    if not types:
        raise CommandFailed(f"there is no example of {pattern}; `flask wats webhook send --list` prints every type")
    try:
        for type_ in types:
            check_sample(sample, type_)
    except NotInSample as error:
        raise CommandFailed(str(error)) from error
    return types


def _webhooks(sample: Sample, types: list[str], *, count: int, batch: int) -> Iterator[bytes]:
    updates = batch * len(types)
    for number in range(count):
        at = int(time.time()) - (count - 1 - number) * updates
        yield webhook_of(sample, types, first=number * updates, batch=batch, at=at)
