"""How gunicorn's master checks its web processes: it ends a silent one, and each check sends the master's own beat.

gunicorn checks each of them once a second, in the loop that also replaces those that have died. It has no hook there,
but it asks an object when the process last gave a sign; this module replaces the answer.
"""

import time

from gunicorn.workers import base

from app.running_time import RunningTime
from app.server.heartbeat_file import HeartbeatFile
from app.startup.beats import beats_of_this_process

START_SECONDS = 300.0
"""How long a web process may take until its first sign: a start on a busy machine is slow."""

_clock = RunningTime()  # the master's


class WatchedFile(HeartbeatFile):
    """The file whose time a web process sets every second, and the master reads.

    The master counts a silence on a clock that stands still with the machine: after a suspension, or a pause of the
    container, no process is ended for the time in which it could not run.
    """

    def __init__(self, cfg: object) -> None:
        super().__init__(cfg)
        self._beats = beats_of_this_process()
        self._first = self._seen = super().last_update()
        self._heard = _clock.read()

    def last_update(self) -> float:
        """Return when the process gave its last sign, on the clock that gunicorn compares it with."""
        self._beats.beat()
        sign = super().last_update()
        now = _clock.read()
        if sign != self._seen:
            self._seen, self._heard = sign, now
        silent_for = now - self._heard
        if self._seen == self._first and silent_for < START_SECONDS:
            silent_for = 0.0
        return time.monotonic() - silent_for


def install() -> None:
    """Make gunicorn use it; it has no setting for it."""
    base.WorkerTmp = WatchedFile
