"""Pulling events: the next ones at once, or as soon as there are some.

Whoever waits holds a greenlet and nothing else: no connection, no thread. A process that is on its way out lets
everybody go.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import gevent

from app.domain.event import Event
from app.startup import draining
from app.store import Store

MAX_WAIT = 25
MAX_WAITING = 500
"""How many wait at a time in one process; one more is answered at once. Webhooks need their connections."""

DRAIN_SECONDS = 0.5
LOOK_SECONDS = 5.0
REST_SECONDS = 0.002
"""For each who waits: readers whom nothing pleases look 500 times a second at most, all together, whatever rings."""


class Ear(Protocol):
    """Hears when there may be something new."""

    def wait(self, seconds: float) -> bool: ...


@dataclass(frozen=True)
class Pull:
    """What is asked for: events after a sequence, of some types, at most so many, and how long to wait for one."""

    after: int
    types: tuple[str, ...]
    limit: int
    wait: int


class Waiting:
    """How many are waiting in this process."""

    def __init__(self, most: int = MAX_WAITING) -> None:
        self._most = most
        self._count = 0

    @property
    def rest_seconds(self) -> float:
        """How long whoever looked in vain lets others have their turn; rings meanwhile are not missed."""
        return self._count * REST_SECONDS

    @contextmanager
    def place(self) -> Iterator[bool]:
        """A place among those who wait; False if there is none left."""
        free = self._count < self._most
        self._count += free
        try:
            yield free
        finally:
            self._count -= free


def pull(store: Store, asked: Pull, waiting: Waiting) -> Sequence[Event]:
    """The events asked for, as soon as there is one; none if there is none in time."""
    if not asked.wait:
        return _look(store, asked)
    ear = store.notifier.listen("events")  # before the first look: what comes after it rings
    until = time.monotonic() + asked.wait
    with waiting.place() as free:
        while not (found := _look(store, asked)):
            if not free:
                return []
            gevent.sleep(waiting.rest_seconds)
            if not _hears_something(ear, until):
                return []
        return found


def _look(store: Store, asked: Pull) -> list[Event]:
    return store.events.after(asked.after, types=asked.types, limit=asked.limit)


def _hears_something(ear: Ear, until: float) -> bool:
    """True as soon as it is worth to look again: there was a ring, or one may have been lost."""
    look_again = time.monotonic() + LOOK_SECONDS
    while not draining.has_begun():
        now = time.monotonic()
        if now >= until:
            return False
        if ear.wait(min(until - now, DRAIN_SECONDS)) or now >= look_again:
            return True
    return False
