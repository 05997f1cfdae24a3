"""The breaker of a queue: it opens when attempts fail in a row, probes with one job, and then allows more and more.

While it is open no job is tried, so that no job uses up its attempts.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 5
FIRST_PAUSE, MAX_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
FIRST_ALLOWANCE = 2
RELAPSE = timedelta(minutes=5)
"""The alert lasts for this long after the breaker was open: what fails half the time opens it again and again."""


@dataclass(frozen=True)
class Breaker:
    """`failures`: in a row. `open_until`: the time of the next probe, if it is open. `trips`: how often it has opened
    since it was last closed for good. `allowance`: how many jobs may be in flight after a probe (None: no limit)."""

    failures: int = 0
    open_until: datetime | None = None
    trips: int = 0
    allowance: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has opened and no probe has succeeded yet."""
        return self.open_until is not None

    def slots(self, now: datetime, max_in_flight: int) -> int:
        """Return how many jobs may be in flight now: none while it is open, one as a probe, then more and more."""
        if self.open_until is not None:
            return 0 if now < self.open_until else 1
        return max_in_flight if self.allowance is None else min(max_in_flight, self.allowance)

    def is_pausing(self, now: datetime) -> bool:
        """Return whether no job is tried now. Results that come now began before it opened, and prove nothing."""
        return self.open_until is not None and now < self.open_until


def was_open_lately(was_open_at: datetime | None, now: datetime) -> bool:
    """Return whether a breaker that was open then may soon open again. A time far ahead comes from a wrong clock."""
    return was_open_at is not None and abs(now - was_open_at) < RELAPSE


def after_success(breaker: Breaker, now: datetime, max_in_flight: int) -> Breaker:
    """Return the breaker after a success: a probe closes it, a later one allows one more job, to `max_in_flight`."""
    if breaker.is_pausing(now):
        return breaker
    if breaker.is_open:
        return Breaker(trips=breaker.trips, allowance=min(FIRST_ALLOWANCE, max_in_flight))
    if breaker.allowance is None or breaker.allowance >= max_in_flight:
        return Breaker()
    return replace(breaker, failures=0, allowance=breaker.allowance + 1)


def after_failure(breaker: Breaker, now: datetime, jitter: float, retry_after: timedelta | None = None) -> Breaker:
    """Return the breaker after a failure: the fifth in a row opens it, a failed probe opens it for longer.

    A delay that the other side asks for (`retry_after`) opens it at once. `jitter` (0 to 1) spreads the pauses.
    """
    failures = breaker.failures + 1
    if retry_after is not None:
        return _open_as_asked(replace(breaker, failures=failures), now + max(_pause(0, jitter), retry_after))
    if breaker.is_pausing(now):
        return replace(breaker, failures=failures)
    if breaker.is_open or failures >= FAILURES_TO_OPEN:
        until = now + _pause(breaker.trips, jitter)
        return Breaker(failures=failures, open_until=until, trips=breaker.trips + 1)
    allowance = None if breaker.allowance is None else max(1, breaker.allowance // 2)
    return replace(breaker, failures=failures, allowance=allowance)


def _open_as_asked(breaker: Breaker, until: datetime) -> Breaker:
    """Open it at least until then. The other side has chosen the pause, so that this is no trip."""
    if breaker.open_until is not None:
        until = max(until, breaker.open_until)
    return replace(breaker, open_until=until, allowance=None)


def _pause(trips: int, jitter: float) -> timedelta:
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(trips, 10), MAX_PAUSE)
    return pause * (0.8 + 0.4 * jitter)
