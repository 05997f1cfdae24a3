"""Which app gets the webhooks of an account, and the handshake with the address that they go to."""

from collections.abc import Callable
from urllib.parse import urlencode

from app.graph.fake.fields import fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import refuse
from app.graph.fake.values import of_text
from app.graph.fake.wire import Answer, Call, json_answer

KIND, APP_KIND = "subscription", "app_webhook"


def list_apps(meta: Meta, _: Call, waba: str) -> Answer:
    """Return the apps that are subscribed to an account."""
    _check_account(meta, waba)
    app = {"id": meta.accounts.app_id, "link": "https://www.facebook.com/games/?app_id=1", "name": "Test app"}
    subscription = meta.state.get(KIND, waba)
    override = {} if not subscription else {"override_callback_uri": subscription["url"]}
    is_subscribed = subscription is not None
    return json_answer({"data": [{"whatsapp_business_api_data": app, **override}] if is_subscribed else []})


def subscribe(meta: Meta, call: Call, waba: str) -> Answer:
    """Subscribe the app to an account; an address of its own is verified first."""
    _check_account(meta, waba)
    body = fields_of(call)
    url = body.get("override_callback_uri")
    if url is not None:
        _shake_hands(meta, of_text(body, "override_callback_uri", "", 2000), of_text(body, "verify_token", "", 500))
    meta.state.put(KIND, waba, {"url": url})
    return json_answer({"success": True})


def unsubscribe(meta: Meta, _: Call, waba: str) -> Answer:
    """End the subscription to an account."""
    _check_account(meta, waba)
    meta.state.delete(KIND, waba)
    return json_answer({"success": True})


def set_callback(meta: Meta, call: Call, app: str) -> Answer:
    """Set the address that webhooks of an app go to, after the handshake with it."""
    if app != meta.accounts.app_id:
        raise refuse("unknown_object", id=app)
    body = fields_of(call)
    of_text(body, "object", "", 100)
    url, fields = of_text(body, "callback_url", "", 2000), body.get("fields", "messages")
    _shake_hands(meta, url, of_text(body, "verify_token", "", 500))
    names = fields if isinstance(fields, list) else str(fields).split(",")
    webhook = {"object": body["object"], "callback_url": url, "active": True}
    version = meta.accounts.version
    meta.state.put(APP_KIND, app, {**webhook, "fields": [{"name": str(name), "version": version} for name in names]})
    return json_answer({"success": True})


def get_callback(meta: Meta, call: Call, app: str) -> Answer:
    """Return the webhook of an app. Only the app's own token may read it."""
    if app != meta.accounts.app_id:
        raise refuse("unknown_object", id=app)
    if not meta.accounts.is_app_token(call.headers.get("authorization", "").partition(" ")[2]):
        raise refuse("needs_app_token")
    webhook = meta.state.get(APP_KIND, app)
    return json_answer({"data": [webhook] if webhook else []})


def _shake_hands(meta: Meta, url: str, verify_token: str) -> None:
    challenge = str(int(meta.ids.digits("challenge", 10)))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    status, body = meta.outlet.get(f"{url}?{urlencode(query)}")
    if status != 200 or body != challenge.encode():
        raise refuse("handshake", id=str(status))


def _check_account(meta: Meta, waba: str) -> None:
    if not meta.accounts.numbers_of(waba):
        raise refuse("unknown_object", id=waba)


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"(\d{1,32})/subscribed_apps", list_apps),
    ("POST", r"(\d{1,32})/subscribed_apps", subscribe),
    ("DELETE", r"(\d{1,32})/subscribed_apps", unsubscribe),
    ("GET", r"(\d{1,32})/subscriptions", get_callback),
    ("POST", r"(\d{1,32})/subscriptions", set_callback),
]
