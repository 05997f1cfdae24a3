"""Executors: where database work runs, so that it blocks no other greenlet.

In a gevent web process SQLite would stop every greenlet while it waits for the disk, so its work runs in native
threads. psycopg waits cooperatively, so its work needs no thread. In a process without gevent an executor is a plain
call.

A caller never waits inside a driver: its work runs elsewhere, in a thread or a greenlet of its own. A driver may
replace an exception of gevent by an error of its own, or swallow it: then a greenlet that was killed lived on, and
late work had no deadline any more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, TypeVarTuple

import gevent
from gevent.threadpool import ThreadPool

from app.store.engine.errors import StoreUnavailable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

INTERRUPTIONS, INTERRUPTION_SECONDS = 10, 1.0


class Executor(Protocol):
    """Runs work and returns its result, or raises `StoreUnavailable` after this many seconds."""

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T: ...


class InlineExecutor:
    """Runs work in the calling thread, without a deadline: the database's own time-outs apply."""

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T:  # noqa: ARG002
        return work(*arguments)


class GreenletExecutor:
    """Runs work in a greenlet of its own. If its caller gives it up, it is interrupted and its connection closed."""

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        working = gevent.spawn(caught, work, arguments)
        try:
            with _deadline(seconds):
                outcome = working.get()
        finally:
            if not working.ready():
                gevent.spawn(_interrupt, working)
        return value_of(outcome)


class NativeThreadExecutor:
    """Runs work in native threads. Work that misses its deadline goes on there after its caller has given it up."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPool(threads)

    def run(self, seconds: float, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Wait for a free thread and for the result; late work may occupy all threads."""
        with _deadline(seconds):
            outcome = self._pool.spawn(caught, work, arguments).get()
        return value_of(outcome)


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


def _interrupt(working: "gevent.Greenlet[..., Any]") -> None:
    """End the greenlet. Throw again where the driver has swallowed the exception; no caller waits for this."""
    for _ in range(INTERRUPTIONS):
        working.kill(timeout=INTERRUPTION_SECONDS)
        if working.ready():
            return


@dataclass(frozen=True)
class _Raised:
    """An exception as a value: gevent prints the traceback of one that leaves a greenlet or a thread of its pool."""

    error: Exception


def caught(work: Callable[[*Ts], T], arguments: tuple[*Ts]) -> T | _Raised:
    """Do the work in a greenlet or a thread of a pool; return its value, or what it has raised."""
    try:
        return work(*arguments)
    except Exception as error:  # noqa: BLE001 - raised again by the caller
        return _Raised(error)


def value_of(outcome: T | _Raised | None) -> T:
    """Return the value that `caught` has returned, or raise the exception that it has caught."""
    if isinstance(outcome, _Raised):
        raise outcome.error
    return outcome  # type: ignore[return-value]  # the stubs include None, the value of a result that is not ready
