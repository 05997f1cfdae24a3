"""The fake of a dry-run: its state is in the store, and its webhooks are jobs that any worker posts."""

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from app.graph.fake.accounts import Accounts
from app.graph.fake.client import FakeGraphClient
from app.graph.fake.meta import make_meta
from app.graph.fake.state import State
from app.graph.fake.switches import NONE
from app.graph.fake.webhooks import Change, bytes_of, headers_of, shaped

SIGNATURE = "X-Hub-Signature-256"

PostWebhook = Callable[[bytes, str], None]
"""Hands a webhook and its signature to the gateway, as Meta's POST does."""


class StoredState(State, Protocol):
    """State that also keeps webhooks which wait."""

    def plan_webhook(self, key: str, body: bytes, delay: timedelta) -> None:
        """Keep the body of a webhook, with a job that posts it after the delay."""
        ...

    def webhook(self, row_id: int) -> bytes | None:
        """Return the body of a webhook that waits; None if it was posted."""
        ...

    def forget_webhook(self, row_id: int) -> None:
        """Forget a webhook that was posted."""
        ...


class StoreClock:
    """The gateway's clock, as the fake reads it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return the time."""
        return self._clock().timestamp()


class StoredFake:
    """Meta in a dry-run. `client` sends to it; `post` posts one of its webhooks, when its job is due."""

    def __init__(
        self,
        accounts: Accounts,
        state: StoredState,
        clock: Callable[[], datetime],
        post_webhook: PostWebhook,
        sleep: Callable[[float], object],
        switches: Mapping[str, Any] = NONE,
    ) -> None:
        self._accounts = accounts
        self._state = state
        self._post_webhook = post_webhook
        self.meta = make_meta(accounts, state, StoreClock(clock), self, switches=switches)
        self.client = FakeGraphClient(self.meta, accounts.version, sleep)

    def plan(self, after: float, change: Change) -> None:
        """Post a change after so many seconds; later and more than once if the switches say so."""
        switches, body = self.meta.switches, self._body(change)
        for _ in range(1 + switches.duplicates):
            late = switches.webhook_delay_seconds + random.uniform(0, switches.shuffle_seconds)  # noqa: S311
            self._state.plan_webhook(uuid.uuid4().hex, body, timedelta(seconds=after + late))

    def post_now(self, change: Change) -> None:
        """Post a change, and return once it was taken."""
        self._post(self._body(change))

    def get(self, url: str) -> tuple[int | None, bytes]:
        """Return what our own route answers to the handshake, without a request: a dry-run opens no connection."""
        return 200, dict(parse_qsl(urlsplit(url).query)).get("hub.challenge", "").encode()

    def post(self, row_id: int) -> None:
        """Post a webhook that waited, unless it was posted before."""
        body = self._state.webhook(row_id)
        if body is not None:
            self._post(body)
            self._state.forget_webhook(row_id)

    def _body(self, change: Change) -> bytes:
        return bytes_of([shaped(change, self.meta.switches)])

    def _post(self, body: bytes) -> None:
        headers = headers_of(body, self._accounts, self.meta.switches)
        self._post_webhook(body, headers.get(SIGNATURE, ""))
