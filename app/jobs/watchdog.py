"""The watchdog: ends a worker whose event loop has stopped turning, so that whoever watches it starts another.

It counts its own looks instead of asking a clock: a process that was frozen as a whole has stood still, not hung.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from types import FrameType

import gevent
from gevent import monkey

EXIT_STALLED = 70
TURN_SECONDS = 0.5
LOOK_SECONDS = 1.0
LOOKS = 20

_native_sleep = monkey.get_original("time", "sleep")
_start_native_thread = monkey.get_original("_thread", "start_new_thread")
_native_thread_id = monkey.get_original("_thread", "get_ident")


def end_this_process(stack: str) -> None:
    """Say where it hangs, without any lock that may be held, and end."""
    line = {"level": "error", "logger": __name__, "event": "worker.stalled", "trace": stack}
    os.write(sys.stderr.fileno(), json.dumps(line).encode() + b"\n")
    os._exit(EXIT_STALLED)


class Watchdog:
    """Looks from a native thread whether the loop of the thread that made it still turns."""

    def __init__(
        self,
        *,
        looks: int = LOOKS,
        look_seconds: float = LOOK_SECONDS,
        on_stall: Callable[[str], None] = end_this_process,
    ) -> None:
        self._looks = looks
        self._look_seconds = look_seconds
        self._on_stall = on_stall
        self._turns = 0
        self._watched = _native_thread_id()
        self._over = False

    def start(self) -> None:
        """Begin to watch."""
        gevent.spawn(self._turn)
        _start_native_thread(self._watch, ())

    def stop(self) -> None:
        """Watch no more."""
        self._over = True

    def _turn(self) -> None:
        while not self._over:
            self._turns += 1
            gevent.sleep(min(TURN_SECONDS, self._look_seconds / 2))

    def _watch(self) -> None:
        seen, missed = -1, 0
        while not self._over and missed < self._looks:
            _native_sleep(self._look_seconds)
            missed = missed + 1 if self._turns == seen else 0
            seen = self._turns
        if not self._over:
            self._on_stall(_stack(sys._current_frames().get(self._watched)))  # noqa: SLF001 - there is no other way


def _stack(frame: FrameType | None) -> str:
    return "".join(traceback.format_stack(frame)) if frame else ""
