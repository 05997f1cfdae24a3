"""The breaker of a lane: it opens when attempts fail in a row, probes with one job, and drains slowly afterwards.

While it is open nothing is tried, so that no job burns its attempts against a closed door.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)


@dataclass(frozen=True)
class Breaker:
    """`failures` in a row; `open_until` a moment, when it is open; `trips`, how often in a row it has opened;
    `allowance`, how many jobs may be in flight while it drains (None: as many as the lane has)."""

    failures: int = 0
    open_until: datetime | None = None
    trips: int = 0
    allowance: int | None = None

    @property
    def is_open(self) -> bool:
        """Tells whether it has opened and no probe has succeeded yet."""
        return self.open_until is not None

    def slots(self, now: datetime, most: int) -> int:
        """How many jobs may be in flight now: none while open, one as a probe, more and more while it drains."""
        if self.open_until is not None:
            return 0 if now < self.open_until else 1
        return most if self.allowance is None else min(most, self.allowance)


def after_success(breaker: Breaker, most: int) -> Breaker:
    """A success closes it; from then on each one lets one more be in flight, up to the lane's most."""
    if breaker.is_open:
        return Breaker(allowance=min(2, most))
    if breaker.allowance is None:
        return Breaker()
    allowance = breaker.allowance + 1
    return Breaker(allowance=None if allowance >= most else allowance)


def after_failure(breaker: Breaker, now: datetime, chance: float, retry_after: timedelta | None = None) -> Breaker:
    """A failure that may pass. The fifth in a row opens it, a failed probe opens it for longer.

    What the other side itself asks for (`retry_after`) opens it at once. `chance` (0 to 1) spreads the pauses.
    """
    failures = breaker.failures + 1
    already_open = breaker.open_until is not None and now < breaker.open_until
    if already_open and retry_after is None:
        return replace(breaker, failures=failures)  # was in flight when it opened
    if retry_after is None and failures < FAILURES_TO_OPEN and not breaker.is_open:
        return replace(breaker, failures=failures, allowance=breaker.allowance)
    pause = min(FIRST_PAUSE * 2 ** min(breaker.trips, 10), LONGEST_PAUSE) * (0.8 + 0.4 * chance)
    until = now + max(pause, retry_after or timedelta())
    if breaker.open_until is not None:
        until = max(until, breaker.open_until)
    return Breaker(failures=failures, open_until=until, trips=breaker.trips + 1)
