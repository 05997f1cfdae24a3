"""Whether a worker works, read from what its loops do: each of them must come round again in time.

A process that answers signals, or a greenlet that only counts, proves nothing: a worker once went on with its
heartbeat, and worked no more.
"""

from app.running_time import RunningTime

TURN_SECONDS = 30.0
"""How long one turn may take: longer than all the deadlines in it, so that a database that is away ends no worker."""

_clock = RunningTime()


class Turn:
    """When one loop must come round again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rest(0)

    def rest(self, seconds: float) -> None:
        """Note that the loop has come round, and that it rests for at most this many seconds."""
        self._due = _clock.read() + seconds + TURN_SECONDS

    @property
    def is_overdue(self) -> bool:
        """Return whether the loop hangs."""
        return _clock.read() > self._due
