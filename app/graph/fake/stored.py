"""The fake of a dry-run: its state is in the store, and its webhooks are jobs that any worker posts."""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from app.graph.fake.accounts import Accounts
from app.graph.fake.batches import add_to_batch, batch_of, in_webhooks, remove_from_batch
from app.graph.fake.client import FakeGraphClient
from app.graph.fake.meta import make_meta
from app.graph.fake.state import State
from app.graph.fake.switches import NONE
from app.graph.fake.webhooks import Change, bytes_of, headers_of, shaped

BATCH = "batch "
"""The prefix of a waiting webhook that is a placeholder for a batch; the name of the batch follows."""

REPEATED_SECONDS, REPEATED_BATCH = 1.0, 1000
SIGNATURE = "X-Hub-Signature-256"

PostWebhook = Callable[[bytes, str], None]
"""Hands a webhook and its signature to the gateway, as Meta's POST does."""


class StoredState(State, Protocol):
    """State that also keeps webhooks which wait."""

    def plan_webhook(self, key: str, body: bytes, delay: timedelta) -> None:
        """Keep the body of a webhook, with a job that posts it after the delay, unless one waits under this key."""
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
        """Post a change after this many seconds; later, more than once or together with others if switches say so."""
        switches = self.meta.switches
        shaped_change = shaped(change, switches)
        if max(change.batch, switches.batch) > 1:
            self._plan_batch(after + self._lateness(), shaped_change)
        else:
            body = bytes_of([shaped_change])
            for _ in range(1 + switches.duplicates):
                self._state.plan_webhook(uuid.uuid4().hex, body, timedelta(seconds=after + self._lateness()))
        if switches.rebatch:
            later = after + max(REPEATED_SECONDS, switches.batch_seconds)
            self._plan_batch(later, replace(shaped_change, batch=REPEATED_BATCH))

    def _lateness(self) -> float:
        switches = self.meta.switches
        return switches.webhook_delay_seconds + random.uniform(0, switches.shuffle_seconds)  # noqa: S311

    def _plan_batch(self, after: float, change: Change) -> None:
        """Let a change wait for the next batch. Batches end at whole multiples of `batch_seconds`."""
        now, seconds = self.meta.clock.now(), self.meta.switches.batch_seconds
        number = int((now + after) // seconds) + 1
        add_to_batch(self._state, str(number), change)
        self._plan_post_of_batch(str(number), number * seconds - now)

    def _plan_post_of_batch(self, name: str, after: float) -> None:
        self._state.plan_webhook(BATCH + name, (BATCH + name).encode(), timedelta(seconds=after))

    def post_now(self, change: Change) -> None:
        """Post a change, and return once it was taken."""
        self._post(self._body(change))

    def get(self, url: str) -> tuple[int | None, bytes]:
        """Return what our own route answers to the handshake, without a request: a dry-run opens no connection."""
        return 200, dict(parse_qsl(urlsplit(url).query)).get("hub.challenge", "").encode()

    def post(self, row_id: int) -> None:
        """Post a webhook that waited, unless it was posted before."""
        body = self._state.webhook(row_id)
        if body is None:
            return
        if is_batch := body.startswith(BATCH.encode()):
            self._post_batch(body.decode().removeprefix(BATCH))
        else:
            self._post(body)
        self._state.forget_webhook(row_id)
        if is_batch:
            self._plan_rest_of_batch(body.decode().removeprefix(BATCH))

    def _post_batch(self, name: str) -> None:
        switches = self.meta.switches
        for group in in_webhooks(batch_of(self._state, name), switches.batch):
            body = bytes_of(change for _, change in group)
            for _ in range(1 + switches.duplicates):
                self._post(body)
            remove_from_batch(self._state, name, [key for key, _ in group])

    def _plan_rest_of_batch(self, name: str) -> None:
        """Post what came into a batch while it was posted."""
        if batch_of(self._state, name):
            self._plan_post_of_batch(name, 0)

    def _body(self, change: Change) -> bytes:
        return bytes_of([shaped(change, self.meta.switches)])

    def _post(self, body: bytes) -> None:
        headers = headers_of(body, self._accounts, self.meta.switches)
        self._post_webhook(body, headers.get(SIGNATURE, ""))
