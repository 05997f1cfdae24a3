"""Wait for a reader of the database that keeps its file from being cleaned, but not for ever."""

import time
from collections.abc import Callable

PAUSE_SECONDS, MAX_SECONDS = 0.2, 60.0
READER_IN_THE_WAY = (
    "the rows are deleted, but bytes of them may still be in the database's file: a process, such as a backup, reads"
    " an older state of it; run this again when it has ended"
)


class Patience:
    """Called after each step of the cleaning: pauses if it made no progress, and gives up after a minute."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._last: object = None
        self._since = clock()

    def ends_at(self, position: object) -> bool:
        """Return whether the cleaning has been at this position for a minute. Pause if it makes no progress."""
        if position != self._last:
            self._last, self._since = position, self._clock()
        elif self._clock() - self._since > MAX_SECONDS:
            return True
        else:
            self._sleep(PAUSE_SECONDS)
        return False
