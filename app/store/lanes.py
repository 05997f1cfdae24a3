"""Lanes: where database work runs, so that it holds up nobody else.

In a gevent web process SQLite would stop every greenlet while it waits for the disk, so its work goes to native
threads. psycopg waits cooperatively and stays where it is, under a deadline. Elsewhere a lane is a plain call.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import gevent
from gevent.threadpool import ThreadPool

from app.store.errors import StoreUnavailable

T = TypeVar("T")


class Lane(Protocol):
    """Runs a piece of work and returns its result, or raises `StoreUnavailable` after `seconds`."""

    def run(self, work: Callable[[], T], seconds: float) -> T: ...


class PlainCall:
    """The work runs here and now; its own timeouts are all there are."""

    def run(self, work: Callable[[], T], seconds: float) -> T:  # noqa: ARG002
        return work()


class Deadline:
    """The work runs here, cooperatively; after the deadline its connection is given up."""

    def run(self, work: Callable[[], T], seconds: float) -> T:
        with gevent.Timeout(seconds) as deadline:
            try:
                return work()
            except gevent.Timeout as fired:
                if fired is not deadline:
                    raise
                raise late() from fired


class NativeThreads:
    """The work runs in native threads. What is late goes on there, but nobody waits for it any more."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPool(threads)

    def run(self, work: Callable[[], T], seconds: float) -> T:
        outcome = self._pool.spawn(_caught, work)
        if not outcome.wait(seconds) and not outcome.ready():
            raise late()
        result, error = outcome.get()
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]


def late() -> StoreUnavailable:
    """The database did not answer in time."""
    return StoreUnavailable("the database does not answer in time")


def _caught(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """The result or the exception as a value: gevent prints what a thread of its pool raises."""
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001 - handed to the caller, who raises it
        return None, error
