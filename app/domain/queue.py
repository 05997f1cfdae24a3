"""A queue: the state that applies to all jobs that wait for the same thing, such as a destination."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.breaker import Breaker


@dataclass(frozen=True)
class QueueState:
    """The state of a queue. `paused`: by a human. `disabled`: by the other side, for good. `breaker`: for a while."""

    name: str
    paused: bool
    disabled: bool
    breaker: Breaker
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None

    def earliest_attempt(self, due_at: datetime) -> datetime | None:
        """Return when a job with this due time can be tried; None while the queue waits for a human."""
        if self.paused or self.disabled:
            return None
        return max(due_at, self.breaker.open_until or due_at)


@dataclass(frozen=True)
class QueueDepth:
    """How many jobs of a queue are open. `oldest_due_at`: the earliest due time among them, past or future."""

    queue: str
    waiting: int
    in_flight: int
    oldest_due_at: datetime | None


@dataclass(frozen=True)
class ClaimRequest:
    """A request for up to `limit` more jobs of a queue, of which at most `max_in_flight` may be in flight."""

    queue: str
    max_in_flight: int
    limit: int
