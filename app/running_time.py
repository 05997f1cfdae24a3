"""Two clocks that never jump: the time in which this process ran, and the time that has passed.

The first is for limits that a suspended machine or a stopped process must not reach; the second for what others do
meanwhile, such as taking over a job whose lease has ended.
"""

import time

_RUNS_IN_SLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

MAX_GAP_SECONDS = 5.0


def elapsed_seconds() -> float:
    """Return a count of seconds that includes those in which the machine slept, where it has such a clock."""
    return time.clock_gettime(_RUNS_IN_SLEEP)


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
