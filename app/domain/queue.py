"""A queue: what holds for all the jobs that wait for the same thing, a destination for instance."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.breaker import Breaker


@dataclass(frozen=True)
class QueueState:
    """How a queue stands. `paused` by a human, `disabled` by the other side, for good; `breaker`: for a while."""

    name: str
    paused: bool
    disabled: bool
    breaker: Breaker
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None

    def lets_through(self, due_at: datetime) -> datetime | None:
        """When a job that is due then will be tried at the earliest; None while the queue waits for a human."""
        if self.paused or self.disabled:
            return None
        return max(due_at, self.breaker.open_until or due_at)


@dataclass(frozen=True)
class QueueDepth:
    """How many jobs of a queue are open. `oldest_due_at`: since when the first of them could be done, or from when."""

    queue: str
    waiting: int
    in_flight: int
    oldest_due_at: datetime | None


@dataclass(frozen=True)
class ClaimRequest:
    """How many more jobs of a queue are wanted, at best. `max_in_flight`: how many of it are in flight at best."""

    queue: str
    max_in_flight: int
    limit: int
