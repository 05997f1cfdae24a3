"""Executors: where database work runs, so that it blocks no other greenlet.

In a gevent web process SQLite would stop every greenlet while it waits for the disk, so its work runs in native
threads. psycopg waits cooperatively, so its work stays in the calling greenlet, under a deadline. In a process
without gevent an executor is a plain call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, TypeVarTuple

import gevent
from gevent.threadpool import ThreadPool

from app.store.engine.errors import StoreUnavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Executor(Protocol):
    """Runs work and returns its result, or raises `StoreUnavailable` after so many seconds."""

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T: ...


class InlineExecutor:
    """Runs work in the calling thread, without a deadline: the database's own time-outs apply."""

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T:  # noqa: ARG002
        return work(*arguments)


class DeadlineExecutor:
    """Runs work in the calling greenlet. At the deadline the work is interrupted and its connection is closed."""

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        with _deadline(seconds):
            return work(*arguments)


class NativeThreadExecutor:
    """Runs work in native threads. Work that misses its deadline goes on there after its caller has given it up."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPool(threads)

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Wait for a free thread and for the result; late work may occupy all threads."""
        with _deadline(seconds):
            outcome = self._pool.spawn(_caught, work, arguments).get()
        if isinstance(outcome, _Raised):
            raise outcome.error
        return outcome  # type: ignore[return-value]  # the stubs include None, the value of a result that is not ready


def timed_out() -> StoreUnavailable:
    """Return the error for a database that did not answer in time."""
    return StoreUnavailable("the database does not answer in time")


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    with gevent.Timeout(seconds) as deadline:
        try:
            yield
        except gevent.Timeout as fired:
            if fired is not deadline:
                raise
            raise timed_out() from fired


@dataclass(frozen=True)
class _Raised:
    """An exception as a value. gevent prints the traceback of an exception that leaves a thread of its pool."""

    error: Exception


def _caught(work: Callable[[*Ts], T], arguments: tuple[*Ts]) -> T | _Raised:
    try:
        return work(*arguments)
    except Exception as error:  # noqa: BLE001 - raised again by the caller
        return _Raised(error)
