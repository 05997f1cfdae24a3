"""Runners: where database work runs, so that it holds up nobody else.

In a gevent web process SQLite would stop every greenlet while it waits for the disk, so its work goes to native
threads. psycopg waits cooperatively and stays where it is, under a deadline. Elsewhere a runner is a plain call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import gevent
from gevent.threadpool import ThreadPool

from app.store.engine.errors import StoreUnavailable

A = TypeVar("A")
T = TypeVar("T")


class Executor(Protocol):
    """Runs a piece of work and returns its result, or raises `StoreUnavailable` after `seconds`."""

    def run(self, work: Callable[[], T], seconds: float) -> T: ...


class InlineExecutor:
    """The work runs here and now; its own timeouts are all there are."""

    def run(self, work: Callable[[], T], seconds: float) -> T:  # noqa: ARG002
        return work()


class DeadlineExecutor:
    """The work runs here, cooperatively; after the deadline its connection is given up."""

    def run(self, work: Callable[[], T], seconds: float) -> T:
        with gevent.Timeout(seconds) as deadline:
            try:
                return work()
            except gevent.Timeout as fired:
                if fired is not deadline:
                    raise
                raise timed_out() from fired


class NativeThreadExecutor:
    """The work runs in native threads. What is late goes on there, but nobody waits for it any more."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPool(threads)

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """The deadline is also for getting a thread: all of them may be busy with what is late."""
        outcome = DeadlineExecutor().run(lambda: self._pool.spawn(_caught, work).get(), seconds)
        if isinstance(outcome, _Raised):
            raise outcome.error
        return outcome  # type: ignore[return-value]  # the stubs think of one that is not ready


class AbandonableWork(Generic[A, T]):
    """Work that is not begun, and does not end well, once it was given up: it may run in a native thread after its
    caller has gone, who took it for failed."""

    def __init__(self, work: Callable[[A], T]) -> None:
        self._work = work
        self.is_abandoned = False

    def __call__(self, argument: A) -> T:
        """The work's result."""
        self._check()
        result = self._work(argument)
        self._check()
        return result

    def _check(self) -> None:
        if self.is_abandoned:
            raise timed_out()


def timed_out() -> StoreUnavailable:
    """The database did not answer in time."""
    return StoreUnavailable("the database does not answer in time")


@dataclass(frozen=True)
class _Raised:
    """An exception as a value: gevent prints what a thread of its pool raises."""

    error: Exception


def _caught(work: Callable[[], T]) -> T | _Raised:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - handed to the caller, who raises it
        return _Raised(error)
