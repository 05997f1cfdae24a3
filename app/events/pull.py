"""Pull events: return the next ones at once, or hold the request until there is one (a long poll).

A waiting request occupies a greenlet, but no thread and no database connection. A draining process answers all
waiting requests at once.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import gevent

from app.domain.event import Event
from app.domain.event_filter import EventFilter
from app.startup import draining
from app.store import Store
from app.store.notify.notifier import Listener
from app.web.long_polls import LongPollLimiter

DRAINING_CHECK_SECONDS = 0.5
REFETCH_SECONDS = 5.0
"""A fetch without a notification, because a notification may be lost."""


@dataclass(frozen=True)
class PullRequest:
    """Which events to return: after a sequence, at most `limit`; and for how many seconds to wait for one."""

    after: int
    chosen: EventFilter
    limit: int
    wait: int


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
    return store.events.after(request.after, request.chosen, limit=request.limit)


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
