"""A clock that jumps: which stored times are void then, and how long the jump is reported.

A time is stored by the clock of then and compared with the clock of now. If the clock was ahead and is set right,
what was due soon lies hours ahead. Each stored time therefore has a limit; one that lies beyond it was stored while
the clock was ahead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.job import (
    FAKE_META_DELAY,
    FAKE_META_QUEUE,
    PRUNE_EVERY,
    PRUNE_QUEUE,
    RECONCILE_MAX_WAIT,
    RECONCILE_QUEUE,
    TOKEN_MAX_WAIT,
    TOKEN_QUEUE,
    WATCH_EVERY,
    WATCH_QUEUE,
    kind_of_queue,
)
from app.domain.media_file import MEDIA_QUEUE, NO_ROOM
from app.domain.message import SEND_KIND
from app.domain.retry import pause_after

CLOCK_TOLERANCE = timedelta(seconds=10)
"""Readings of a sound clock may differ by less: a transaction reads it when it begins, and may then wait."""

MAX_SEND_DELAY = timedelta(days=1)
"""The longest that an error of Meta's lets a message wait."""

MAX_HELD_BACK = timedelta(minutes=1)
"""A message that was not tried yet is looked at again after this long, also if its customer's pace holds it back."""

ALERT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class ClockJump:
    """A jump that was noticed. `at`: when, by the clock after it. `seconds`: negative if the clock was set back."""

    at: datetime
    seconds: int

    def is_recent(self, now: datetime) -> bool:
        """Return whether a human should still hear of it."""
        return abs(now - self.at) < ALERT_FOR


@dataclass(frozen=True)
class DueLimits:
    """The latest times at which the jobs of a queue can be due. `asked_until`: the pause that the other side asks for
    ends then, and no job of the queue is tried before."""

    now: datetime
    lease: timedelta
    asked_until: datetime | None = None

    def excess(self, queue: str, *, attempts: int, is_claimed: bool, due_at: datetime) -> timedelta:
        """Return how far beyond its limit a job is due; zero if it is not."""
        limit = self.now + self.lease if is_claimed else self._limit_of_waiting(queue, attempts)
        return due_at - limit if is_too_far_ahead(due_at, limit) else timedelta()

    def _limit_of_waiting(self, queue: str, attempts: int) -> datetime:
        limit = self.now + max_delay(queue, attempts)
        return max(limit, self.asked_until or limit)


_EVERY = {
    PRUNE_QUEUE: PRUNE_EVERY,
    WATCH_QUEUE: WATCH_EVERY,
    RECONCILE_QUEUE: RECONCILE_MAX_WAIT,
    TOKEN_QUEUE: TOKEN_MAX_WAIT,
}


def max_delay(queue: str, attempts: int) -> timedelta:
    """Return how long a job waits at most until it is due, unless the other side has asked for a longer delay.

    A job without attempts was due when it was enqueued, unless it is a webhook of the fake Meta. The attempts of a
    singleton job are not counted.
    """
    if queue in _EVERY:
        return _EVERY[queue]
    if kind_of_queue(queue) == SEND_KIND:
        return MAX_SEND_DELAY if attempts else MAX_HELD_BACK
    if not attempts:
        return FAKE_META_DELAY if queue == FAKE_META_QUEUE else timedelta()
    pause = pause_after(attempts - 1, jitter=1)
    return max(pause, NO_ROOM) if queue == MEDIA_QUEUE else pause


def is_too_far_ahead(time: datetime, limit: datetime) -> bool:
    """Return whether a stored time lies so far beyond its limit that the clock must have been ahead."""
    return time > limit + CLOCK_TOLERANCE
