"""How many jobs a worker claims ahead of those in flight: what it handles in a quarter of a second, as measured."""

from time import monotonic

AHEAD_SECONDS = 0.25
MAX_AHEAD = 200
MIN_MEASURED_SECONDS = 0.02


class Pace:
    """Counts the jobs of one queue that are handled, and derives `ahead`: 0 at first, and while jobs take long.

    The jobs claimed ahead take little time, so that a pause, a breaker and other workers soon have an effect.
    """

    def __init__(self) -> None:
        self.ahead = 0
        self._handled = 0
        self._since = monotonic()

    def count(self) -> None:
        """Count a job that was handled."""
        self._handled += 1

    def measure(self, slots: int) -> None:
        """Set `ahead` by the jobs that were handled since the last measurement."""
        seconds = monotonic() - self._since
        if seconds < MIN_MEASURED_SECONDS:
            return
        expected = int(self._handled / seconds * AHEAD_SECONDS)
        self.ahead = min(expected, MAX_AHEAD) if expected > slots else 0
        self._start_over()

    def stop(self) -> None:
        """Claim nothing ahead until the next measurement."""
        self.ahead = 0
        self._start_over()

    def _start_over(self) -> None:
        self._handled, self._since = 0, monotonic()
