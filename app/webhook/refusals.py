"""Counts the requests of Meta's route that are refused, so that an operator learns of them.

They are counted in memory, by the code of the error, and written to the database now and then: a refusal costs no
transaction, and all web processes of all machines write to the same rows.
"""

from collections.abc import Callable
from datetime import datetime

from app.domain.refused_webhooks import HANDSHAKE_REASONS, RefusedWebhooks
from app.metrics import Metrics
from app.store import Store, StoreError

EXTENSION = "wats.refusals"


class Refusals:
    """Counts the requests that this process refused and has not recorded. The reasons are few: memory is bounded."""

    def __init__(self, store: Store, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._refused: dict[str, RefusedWebhooks] = {}
        self._handshake_at: datetime | None = None

    def refuse(self, reason: str) -> None:
        """Count a refused request."""
        self._metrics.webhook_refused(reason=reason)
        now = self._clock()
        earlier = self._refused.get(reason)
        count, since = (earlier.count, earlier.since) if earlier else (0, now)
        self._refused[reason] = RefusedWebhooks(reason, count + 1, since, now)

    def accept_handshake(self) -> None:
        """Note that a handshake has succeeded: what was refused of handshakes before is over."""
        for reason in HANDSHAKE_REASONS:
            self._refused.pop(reason, None)
        self._handshake_at = self._clock()

    def write(self) -> None:
        """Write down what was refused. While the store does not answer, keep it for the next time."""
        refused, self._refused = self._refused, {}
        handshake_at, self._handshake_at = self._handshake_at, None
        try:
            if handshake_at is not None:
                over = [RefusedWebhooks(reason, 0, handshake_at, handshake_at) for reason in HANDSHAKE_REASONS]
                self._store.attention.forget_refused(over)
            if refused:
                self._store.attention.add_refused(list(refused.values()))
        except StoreError:
            self._handshake_at = self._handshake_at or handshake_at
            for reason, one in refused.items():
                self._keep(reason, one)

    def _keep(self, reason: str, refused: RefusedWebhooks) -> None:
        later = self._refused.get(reason)
        count, last_at = (later.count, later.last_at) if later else (0, refused.last_at)
        self._refused[reason] = RefusedWebhooks(reason, refused.count + count, refused.since, last_at)
