"""Ending in order on Ctrl-C or SIGTERM: a wait is broken off, a line that is being printed is not."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """A wait was broken off, because it is time to stop."""


class Stopping:
    """Whether somebody asked this command to stop."""

    def __init__(self) -> None:
        self._asked = self._may_interrupt = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around what may be broken off at any moment."""
        self._may_interrupt = True
        try:
            if self._asked:
                raise Interrupted
            yield
        finally:
            self._may_interrupt = False

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._may_interrupt:
            raise Interrupted
