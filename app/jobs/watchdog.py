"""The watchdog: ends a worker whose event loop no longer runs, or that does not stop in time.

Its supervisor, or the platform, starts another. It counts its own checks instead of reading a clock: a process that
was stopped as a whole has not hung.
"""

import json
import math
import os
import sys
import traceback
from collections.abc import Callable

import gevent

from app.gevent_patch import native
from app.log import flush_output

EXIT_STALLED = 70
CHECK_SECONDS = 0.5
CHECKS = 20

_native_sleep = native("time", "sleep")
_start_native_thread = native("_thread", "start_new_thread")
_native_thread_id = native("_thread", "get_ident")


def end_this_process(event: str, stack: str) -> None:
    """Print what has happened and where the event loop is, without any lock that may be held, and end the process."""
    line = {"level": "error", "logger": __name__, "event": event, "trace": stack}
    sys.stderr.write(json.dumps(line) + "\n")
    flush_output()
    os._exit(EXIT_STALLED)


class Watchdog:
    """Checks from a native thread whether the event loop of the thread that created it still runs.

    `on_stall` is called with an event's name and the stack of that thread: when the loop has not run during `checks`
    checks in a row, or when the process has not ended within the limit for its stop.
    """

    def __init__(
        self,
        *,
        checks: int = CHECKS,
        check_seconds: float = CHECK_SECONDS,
        on_stall: Callable[[str, str], None] = end_this_process,
    ) -> None:
        self._checks = checks
        self._check_seconds = check_seconds
        self._on_stall = on_stall
        self._ticks = 0
        self._watched_thread = _native_thread_id()
        self._checks_until_end = math.inf

    def start(self) -> None:
        """Watch until the process ends."""
        gevent.spawn(self._tick)
        _start_native_thread(self._watch, ())

    def limit_stop(self, seconds: float) -> None:
        """End the process after this many seconds, whatever it waits for then."""
        self._checks_until_end = max(1, round(seconds / self._check_seconds))

    def _tick(self) -> None:
        while True:
            self._ticks += 1
            gevent.sleep(self._check_seconds / 2)

    def _watch(self) -> None:
        seen, missed = -1, 0
        while missed < self._checks and self._checks_until_end > 0:
            _native_sleep(self._check_seconds)
            missed = missed + 1 if self._ticks == seen else 0
            seen = self._ticks
            self._checks_until_end -= 1
        event = "worker.stalled" if missed >= self._checks else "worker.stop_overdue"
        self._on_stall(event, self._stack())

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._watched_thread)  # noqa: SLF001 - no public way
        return "".join(traceback.format_stack(frame)) if frame else ""
