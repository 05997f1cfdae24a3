"""The time in which this process ran, for limits that a suspended machine or a stopped process must not reach."""

import time

MAX_GAP_SECONDS = 5.0


class RunningTime:
    """Counts seconds. It stands still while the process is stopped, or the whole machine is suspended.

    To be read every second or so: a longer gap between two readings does not count, because the process that is
    waited for stood still as well, and must get the time to go on.
    """

    def __init__(self) -> None:
        self._seconds, self._read_at = 0.0, time.monotonic()

    def read(self) -> float:
        """Return the seconds since the clock was made."""
        now = time.monotonic()
        gap, self._read_at = now - self._read_at, now
        if gap < MAX_GAP_SECONDS:
            self._seconds += gap
        return self._seconds
