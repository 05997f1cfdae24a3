"""Checks where Meta posts webhooks: the app's callback URL and fields, its subscribed accounts, and overrides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.cli.doctor.finding import Finding, error, fine, warning
from app.cli.doctor.meta import GraphAnswer
from app.cli.onboarding import FIELDS

OBJECT = "whatsapp_business_account"
NEEDED = "messages"
WEBHOOK_PLACE = "your app > Use cases > Connect with customers through WhatsApp > Customize > Configuration > Webhook"


@dataclass(frozen=True)
class AppSubscription:
    """The webhook of an app as Meta has it: its callback URL, and the findings about it."""

    url: str | None
    findings: tuple[Finding, ...]

    def callback_url(self, path: str) -> str | None:
        """Return the callback URL if it may be ours: if it ends with the path of our webhook."""
        return self.url if self.url is not None and urlsplit(self.url).path.endswith(path) else None


def app_subscription(app_id: str, secret_name: str, answer: GraphAnswer, callback_url: str | None) -> AppSubscription:
    """Judge the subscriptions of an app. `answer`: Meta's, to a request with the app's own token."""
    if answer.refusal:
        cure = (
            f"set {secret_name} to the secret of app {app_id}: App settings > Basic; webhooks are refused until then"
        )
        return AppSubscription(None, (error("appSecret", f"app {app_id}: {answer.refusal}", cure),))
    secret = fine("appSecret", f"{secret_name} is the secret of app {app_id}")
    found = next((item for item in answer.items if item.get("object") == OBJECT), None)
    if found is None or not found.get("active", True):
        missing = error("appWebhook", f"app {app_id} has no active webhook for WhatsApp", f"set it: {WEBHOOK_PLACE}")
        return AppSubscription(None, (secret, missing))
    url = str(found.get("callback_url", ""))
    return AppSubscription(url, (secret, _address(url, callback_url), *_fields(found)))


def waba_subscription(waba_id: str, app_id: str, answer: GraphAnswer) -> Iterator[Finding]:
    """Judge whether Meta sends the app the webhooks of an account at all."""
    if answer.refusal:
        yield error("accountWebhook", f"{waba_id}: {answer.refusal}", answer.cure)
        return
    apps = [item.get("whatsapp_business_api_data") for item in answer.items]
    if app_id in [app.get("id") for app in apps if isinstance(app, dict)]:
        yield fine("accountWebhook", f"app {app_id} is subscribed to account {waba_id}")
    else:
        cure = f"POST /{waba_id}/subscribed_apps: to this service below <api>/graph, or to Meta with the token"
        yield error("accountWebhook", f"app {app_id} is not subscribed to account {waba_id}: nothing arrives", cure)


def override(whose: str, url: str | None, callback_url: str | None) -> Iterator[Finding]:
    """Judge the callback URL of an account or a number, which Meta uses instead of the app's."""
    if not url:
        return
    if callback_url is None or url == callback_url:
        yield fine("override", f"the callback URL of {whose} is {url}")
        return
    cure = (
        "if this is not intended, remove it: POST /{account}/subscribed_apps without a body, or POST /{number} with"
        " an empty override_callback_uri in webhook_configuration"
    )
    yield error("override", f"the webhooks of {whose} go to {url}, not to {callback_url}", cure)


def _address(url: str, callback_url: str | None) -> Finding:
    if callback_url is not None and url != callback_url:
        return error("appWebhook", f"Meta posts to {url}, not to {callback_url}", f"correct it: {WEBHOOK_PLACE}")
    return fine("appWebhook", f"Meta posts to {url}")


def _fields(found: dict[str, Any]) -> Iterator[Finding]:
    fields = found.get("fields")
    names = (
        [item.get("name") if isinstance(item, dict) else item for item in fields] if isinstance(fields, list) else []
    )
    missing = [name for name in FIELDS if name not in names]
    if NEEDED in missing:
        yield error(
            "fields", f"the app is not subscribed to {NEEDED}: no message arrives", f"subscribe: {WEBHOOK_PLACE}"
        )
    elif missing:
        cure = f"the gateway uses these fields; subscribe to them: {WEBHOOK_PLACE}"
        yield warning("fields", f"not subscribed to {', '.join(missing)}", cure)
    else:
        yield fine("fields", f"subscribed to all fields that the gateway uses, {len(names)} in all")
