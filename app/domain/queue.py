"""A queue: the state that applies to all jobs that wait for the same thing, such as a destination."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.breaker import Breaker, was_open_lately
from app.domain.clock import is_too_far_ahead
from app.domain.retry import MAX_WAIT

MAX_REST = timedelta(minutes=10)
"""The longest rest that a queue's jobs give it. A later end was stored by a clock that was ahead."""


@dataclass(frozen=True)
class QueueState:
    """The state of a queue. `paused`: by a human. `disabled`: by the other side, for good. `breaker`: for a while.

    `rest_until`: its own jobs let it rest until then, because none of them may be tried before. `refusals`: how many
    jobs in a row the other side has refused at their first attempt. `paused_at`: when a human has paused it.
    `was_open_at`: when a result last met or left the breaker open.
    """

    name: str
    paused: bool
    disabled: bool
    breaker: Breaker
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    rest_until: datetime | None = None
    refusals: int = 0
    paused_at: datetime | None = None
    was_open_at: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Return whether its jobs let it rest now."""
        return self.rest_until is not None and now < self.rest_until

    def is_troubled(self, now: datetime) -> bool:
        """Return whether its attempts fail, or have failed so lately that they may do so again."""
        return self.breaker.is_open or was_open_lately(self.was_open_at, now)

    def with_breaker(self, breaker: Breaker, now: datetime) -> "QueueState":
        """Return the state with the breaker as it is after a result."""
        was_open = self.breaker.is_open or breaker.is_open
        return replace(self, breaker=breaker, was_open_at=now if was_open else self.was_open_at)

    def as_of(self, now: datetime) -> "QueueState":
        """Return the state without a pause that was stored by a clock that was ahead: the next probe is due now.

        Such a pause ends later than the longest one can, or the failure that opened the breaker is still to come.
        """
        if self.rest_until is not None and is_too_far_ahead(self.rest_until, now + MAX_REST):
            return replace(self, rest_until=None).as_of(now)
        until, opened_by = self.breaker.open_until, self.last_error_at
        if until is None or until <= now:
            return self
        if is_too_far_ahead(until, now + MAX_WAIT) or (opened_by is not None and is_too_far_ahead(opened_by, now)):
            return replace(self, breaker=replace(self.breaker, open_until=now))
        return self

    def earliest_attempt(self, due_at: datetime) -> datetime | None:
        """Return when a job with this due time can be tried; None while the queue waits for a human."""
        if self.paused or self.disabled:
            return None
        return max(due_at, self.breaker.open_until or due_at, self.rest_until or due_at)


@dataclass(frozen=True)
class QueueDepth:
    """How many jobs of a queue are open. `oldest_due_at`: the earliest due time among them, past or future."""

    queue: str
    waiting: int
    in_flight: int
    oldest_due_at: datetime | None


@dataclass(frozen=True)
class ClaimRequest:
    """A request for up to `limit` more jobs of a queue, of which at most `max_in_flight` may be in flight.

    A claimed job occupies a slot. A queue has `max_in_flight` slots, over all workers, and the jobs of a slot are
    handled one after the other. `slots`: how many the worker can use; None: one for each job. `held`: those that it
    has, which get more jobs in this order.
    """

    queue: str
    max_in_flight: int
    limit: int
    slots: int | None = None
    held: tuple[int, ...] = ()
