"""The fake's clock: it runs as the real one does, and can be moved forward."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970."""

    def now(self) -> float:
        """Return the time."""
        ...


class MovableClock:
    """The machine's clock, or one that does not run (`at`), plus the seconds by which it was moved."""

    def __init__(self, at: float | None = None) -> None:
        self._at = at
        self._moved = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time."""
        return (time.time() if self._at is None else self._at) + self._moved

    def advance(self, seconds: float) -> None:
        """Move forward."""
        with self._lock:
            self._moved += seconds
