"""Stop a command in order on Ctrl-C or SIGTERM: interrupt a wait at once, but finish a line of output."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """A wait was interrupted, because the command is to stop."""


class Stopping:
    """Remembers a stop signal, and raises Interrupted where the command may be interrupted."""

    def __init__(self) -> None:
        self._is_requested = self._may_interrupt = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a stop signal raise Interrupted while the block runs."""
        self._may_interrupt = True
        try:
            if self._is_requested:
                raise Interrupted
            yield
        finally:
            self._may_interrupt = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_requested = True
        if self._may_interrupt:
            raise Interrupted
