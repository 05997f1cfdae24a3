"""Deadlines for the loops of a worker: it works while each of them begins its next iteration in time.

A process that answers signals, or a greenlet that only counts, proves nothing: a worker once went on with its
heartbeat, and worked no more.
"""

from app.running_time import RunningTime

ITERATION_SECONDS = 30.0
"""How long one iteration may take: longer than all waits in it, so that a database that is away ends no worker."""

_clock = RunningTime()


class LoopDeadline:
    """The time by which one loop must begin its next iteration."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.extend(0)

    def extend(self, rest_seconds: float) -> None:
        """Begin the next iteration after a rest of at most this many seconds."""
        self._due = _clock.read() + rest_seconds + ITERATION_SECONDS

    @property
    def is_overdue(self) -> bool:
        """Return whether the loop hangs."""
        return _clock.read() > self._due
