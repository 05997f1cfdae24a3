"""Checks Meta's side with the live token. It changes nothing there."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from app.cli.doctor.finding import Finding, error, fine, warning
from app.cli.doctor.health import health
from app.cli.doctor.meta import GraphAnswer, Reader
from app.cli.doctor.number import number
from app.cli.doctor.subscription import app_subscription, override, waba_subscription
from app.config import Settings
from app.domain.meta.access_token import PATH, TokenLife, life_in
from app.graph.call import GraphApi, GraphUnreachable

SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")
TOKEN_PLACE = "business.facebook.com > Settings > Users > System users > Generate token"  # noqa: S105
SOON = timedelta(days=14)


class Visit:
    """The checks at Meta, in the order in which one needs another. `app_graph` makes a client with an app's token."""

    def __init__(
        self,
        settings: Settings,
        graph: GraphApi,
        app_graph: Callable[[str], GraphApi],
        now: datetime,
        callback_url: str | None,
    ) -> None:
        self._settings = settings
        self._reader = Reader(graph)
        self._app_graph = app_graph
        self._now = now
        self.callback_url = callback_url
        """Ours: as it was given, or else as the app has it."""

    def findings(self) -> Iterator[Finding]:
        """Look at everything; end where Meta is not reached, or the token is not valid."""
        try:
            yield from self._findings()
        except GraphUnreachable as failure:
            cure = f"check the network, the names and the proxy of this machine; {self._settings.graph.base_url}"
            yield error("meta", f"Meta is not reached: {failure.reason}", cure)

    def _findings(self) -> Iterator[Finding]:
        secret = self._settings.access_token
        assert secret is not None, "a live profile has an access token"
        answer = self._reader.get(PATH, input_token=secret.current)
        yield from version(self._settings.graph.api_version, answer.version)
        token = _object(answer.content.get("data"))
        life = life_in(token, self._now)
        if answer.refusal or not life.is_valid:
            yield error("token", f"{secret.name}: {answer.refusal or life.reason}", f"make a new one: {TOKEN_PLACE}")
            return
        yield from token_findings(secret.name, life, token.get("scopes"))
        yield from self._app(str(token.get("app_id", "")))
        yield from self._account(str(token.get("app_id", "")))
        for number_id in self._settings.whatsapp.phone_number_ids:
            yield from number(number_id, self._reader, self.callback_url)

    def _app(self, app_id: str) -> Iterator[Finding]:
        secret = self._settings.webhook.app_secret
        answer = Reader(self._app_graph(f"{app_id}|{secret.current}")).get(f"{app_id}/subscriptions")
        subscription = app_subscription(app_id, secret.name, answer, self.callback_url)
        self.callback_url = self.callback_url or subscription.callback_url(self._settings.webhook.path)
        yield from subscription.findings

    def _account(self, app_id: str) -> Iterator[Finding]:
        for waba_id in self._settings.whatsapp.waba_ids:
            answer = self._reader.get(waba_id, fields="id,name,currency,health_status")
            if answer.refusal:
                yield error("account", f"{waba_id}: {answer.refusal}", answer.cure)
                continue
            yield fine("account", f"{waba_id} {answer.content.get('name', '')}".strip())
            yield from health(f"account {waba_id}", answer.content)
            apps = self._reader.get(f"{waba_id}/subscribed_apps")
            yield from waba_subscription(waba_id, app_id, apps)
            yield from override(f"account {waba_id}", _override_of(apps, app_id), self.callback_url)
        yield from self._strangers()

    def _strangers(self) -> Iterator[Finding]:
        """Look whether the configured numbers are those of the configured accounts."""
        whatsapp = self._settings.whatsapp
        lists = [self._reader.get(f"{waba_id}/phone_numbers", fields="id") for waba_id in whatsapp.waba_ids]
        if any(answer.refusal for answer in lists):
            return
        theirs = {str(item.get("id")) for answer in lists for item in answer.items}
        for number_id in whatsapp.phone_number_ids:
            if number_id not in theirs:
                cure = f"the account has {', '.join(sorted(theirs)) or 'none'}: correct whatsapp in the config"
                yield error("number", f"{number_id} is no number of the configured account", cure)


def version(configured: str, answered: str | None) -> Iterator[Finding]:
    """Compare the versions: Meta answers calls to an ended version with the oldest that still works."""
    if answered is not None and answered != configured:
        cure = "raise graph.apiVersion in the config, and restart every process"
        yield error("graphVersion", f"{configured} was asked, {answered} has answered", cure)
    elif answered is not None:
        yield fine("graphVersion", f"{configured} has answered")


def token_findings(name: str, life: TokenLife, scopes: Any) -> Iterator[Finding]:
    """Report how long a valid token lives, and what it may not do."""
    end = life.ends_at
    cure = f"make one that never expires, of a system user: {TOKEN_PLACE}"
    if end is None:
        yield fine("token", f"{name} is valid, and never expires")
    elif end - life.asked_at < SOON:
        yield error("token", f"{name} expires on {end:%Y-%m-%d %H:%M} UTC", cure)
    else:
        yield warning("token", f"{name} is valid until {end:%Y-%m-%d}", cure)
    missing = [scope for scope in SCOPES if isinstance(scopes, list) and scope not in scopes]
    if missing:
        yield error("token", f"{name} lacks the permission {', '.join(missing)}", f"give it: {TOKEN_PLACE}")


def _override_of(apps: GraphAnswer, app_id: str) -> str | None:
    for item in apps.items:
        if _object(item.get("whatsapp_business_api_data")).get("id") == app_id:
            found = item.get("override_callback_uri")
            return found if isinstance(found, str) else None
    return None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
