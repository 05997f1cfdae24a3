"""Requests that wait for something to happen: how many there may be, and how often each may look.

A waiting request occupies a greenlet, but no thread and no database connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from flask import current_app

MAX_WAITING = 500
"""Long polls at a time in one process. Further ones are answered at once: webhooks need connections too."""

BACKOFF_SECONDS = 0.002
"""Pause for each waiting request after a fetch without result: all of them together fetch at most 500 times a second,
however often the notifier wakes them."""

EXTENSION = "wats.long_polls"


class LongPollLimiter:
    """Counts the long polls of this process and slows them down as they become more."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0

    @property
    def backoff_seconds(self) -> float:
        """Return how long to pause after a fetch without result. Notifications in the meantime are not lost."""
        return self._waiting * BACKOFF_SECONDS

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """Occupy a slot while the block runs; yield False if all are occupied."""
        is_free = self._waiting < self._max_waiting
        self._waiting += is_free
        try:
            yield is_free
        finally:
            self._waiting -= is_free


def long_polls() -> LongPollLimiter:
    """Return the limiter of this process."""
    return cast("LongPollLimiter", current_app.extensions.setdefault(EXTENSION, LongPollLimiter()))
