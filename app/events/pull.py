"""Pull events: return the next ones at once, or hold the request until there is one (a long poll).

A waiting request occupies a greenlet, but no thread and no database connection. A draining process answers all
waiting requests at once.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import gevent

from app.domain.event import Event
from app.startup import draining
from app.store import Store
from app.store.notify.notifier import Listener

MAX_WAITING = 500
"""Long polls at a time in one process. Further ones are answered at once: webhooks need connections too."""

BACKOFF_SECONDS = 0.002
"""Pause for each waiting request after a fetch without result: all of them together fetch at most 500 times a second,
however often the notifier wakes them."""

DRAINING_CHECK_SECONDS = 0.5
REFETCH_SECONDS = 5.0
"""A fetch without a notification, because a notification may be lost."""


@dataclass(frozen=True)
class PullRequest:
    """Which events to return: after a sequence, of some types (empty: all), at most `limit`; and seconds to wait."""

    after: int
    types: tuple[str, ...]
    limit: int
    wait: int


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


def pull(store: Store, request: PullRequest, limiter: LongPollLimiter) -> Sequence[Event]:
    """Return the requested events as soon as there is one; an empty list if none comes in time."""
    if not request.wait:
        return _fetch(store, request)
    listener = store.notifier.listen("events")  # before the first fetch, so that no commit after it goes unnoticed
    deadline = time.monotonic() + request.wait
    with limiter.slot() as has_slot:
        while not (events := _fetch(store, request)):
            if not has_slot:
                return []
            gevent.sleep(limiter.backoff_seconds)
            if not _wait_for_news(listener, deadline):
                return []
        return events


def _fetch(store: Store, request: PullRequest) -> list[Event]:
    return store.events.after(request.after, types=request.types, limit=request.limit)


def _wait_for_news(listener: Listener, deadline: float) -> bool:
    """Return True when another fetch is due; False at the deadline or when the process drains."""
    refetch_at = time.monotonic() + REFETCH_SECONDS
    while not draining.has_begun():
        now = time.monotonic()
        if now >= deadline:
            return False
        if listener.wait(min(deadline - now, DRAINING_CHECK_SECONDS)) or now >= refetch_at:
            return True
    return False
