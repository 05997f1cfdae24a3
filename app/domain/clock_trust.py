"""Whether a clock is trusted with what cannot be undone: a message expires, a key is free again, old data is deleted.

A clock may be ahead by years after a start without a battery or a network. It is set right within minutes then. What
it says is trusted only after workers have watched it for a while.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SEEN_EVERY = timedelta(seconds=30)
SEEN_FOR = SEEN_EVERY * 4
"""The clock was not watched if the last look of a worker is longer ago."""

DOUBT_AFTER_JUMP = timedelta(hours=1)
DOUBT_AFTER_GAP = timedelta(minutes=10)
"""The doubt after a gap in which no worker looked: the clock may have jumped, or only time has passed."""

NO_DOUBT = timedelta()


@dataclass(frozen=True)
class ClockTrust:
    """The trust in a clock. `seen_at`: when a worker last looked at it; None: no worker has used the database."""

    seen_at: datetime | None = None
    doubted_until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether the clock is trusted at this time of its own."""
        if self.seen_at is None:
            return True
        return now - self.seen_at <= SEEN_FOR and (self.doubted_until is None or self.doubted_until <= now)

    def seen(self, now: datetime, doubt: timedelta | None) -> "ClockTrust":
        """Return the trust after a worker has looked at the clock. `doubt`: how long that look makes it doubted.

        `doubt` is None for a worker that has just started: it does not know what has happened since the last look.
        """
        if doubt is None:
            has_gap = self.seen_at is not None and abs(now - self.seen_at) > SEEN_FOR
            doubt = DOUBT_AFTER_GAP if has_gap else NO_DOUBT
        ends = [now + doubt] if doubt else []
        if self.doubted_until is not None and now < self.doubted_until <= now + DOUBT_AFTER_JUMP:
            ends.append(self.doubted_until)  # a later end was stored while the clock was ahead
        return ClockTrust(now, max(ends, default=None))
