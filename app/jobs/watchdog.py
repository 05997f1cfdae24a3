"""The watchdog: ends a worker whose event loop no longer runs, so that its supervisor starts another.

It counts its own checks instead of reading a clock: a process that was stopped as a whole has not hung.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from types import FrameType

import gevent
from gevent import monkey

from app.log import flush_output

EXIT_STALLED = 70
TICK_SECONDS = 0.5
CHECK_SECONDS = 1.0
CHECKS = 20

_native_sleep = monkey.get_original("time", "sleep")
_start_native_thread = monkey.get_original("_thread", "start_new_thread")
_native_thread_id = monkey.get_original("_thread", "get_ident")


def end_this_process(stack: str) -> None:
    """Print where the event loop hangs, without any lock that may be held, and end the process."""
    line = {"level": "error", "logger": __name__, "event": "worker.stalled", "trace": stack}
    sys.stderr.write(json.dumps(line) + "\n")
    flush_output()
    os._exit(EXIT_STALLED)


class Watchdog:
    """Checks from a native thread whether the event loop of the thread that created it still runs.

    `on_stall` is called with the stack of that thread when the loop has not run during `checks` checks in a row.
    """

    def __init__(
        self,
        *,
        checks: int = CHECKS,
        check_seconds: float = CHECK_SECONDS,
        on_stall: Callable[[str], None] = end_this_process,
    ) -> None:
        self._checks = checks
        self._check_seconds = check_seconds
        self._on_stall = on_stall
        self._ticks = 0
        self._watched_thread = _native_thread_id()
        self._stopped = False

    def start(self) -> None:
        """Start watching."""
        gevent.spawn(self._tick)
        _start_native_thread(self._watch, ())

    def stop(self) -> None:
        """Stop watching."""
        self._stopped = True

    def _tick(self) -> None:
        while not self._stopped:
            self._ticks += 1
            gevent.sleep(min(TICK_SECONDS, self._check_seconds / 2))

    def _watch(self) -> None:
        seen, missed = -1, 0
        while not self._stopped and missed < self._checks:
            _native_sleep(self._check_seconds)
            missed = missed + 1 if self._ticks == seen else 0
            seen = self._ticks
        if not self._stopped:
            self._on_stall(_stack(sys._current_frames().get(self._watched_thread)))  # noqa: SLF001 - no public way


def _stack(frame: FrameType | None) -> str:
    return "".join(traceback.format_stack(frame)) if frame else ""
