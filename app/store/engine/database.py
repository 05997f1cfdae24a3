"""The database of one process: its engines, and what its reads and writes run in."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from app.store.engine import postgres, sqlite
from app.store.engine.errors import StoreBroken, StoreUnavailable, translated
from app.store.engine.executors import (
    AbandonableWork,
    DeadlineExecutor,
    Executor,
    InlineExecutor,
    NativeThreadExecutor,
)
from app.store.engine.file_lock import FileLock

T = TypeVar("T")
Work = Callable[[Connection], T]
Failpoint = Callable[[str], None]

READ_THREADS = 4
WEB_CONNECTIONS = 8


@dataclass(frozen=True)
class Limits:
    """How long anybody waits for another's lock in the database, and a greenlet for the database itself."""

    lock_seconds: float = 5.0
    read_seconds: float = 2.0
    write_seconds: float = 8.0


def no_failpoint(_name: str) -> None:
    """Nobody watches the points where a process may be killed."""


def go_on() -> None:
    """Nobody ends this process when its database breaks: it does nothing else, or ends anyway."""


class Database(Protocol):
    """Runs work inside a transaction. Raises `StoreUnavailable`, or `StoreBroken` once and for good."""

    kind: Literal["sqlite", "postgresql"]

    def read(self, work: Work[T]) -> T:
        """The work's result, in a transaction that writes nothing."""
        ...

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        """The work's result, once its transaction is durable.

        Not `durable`: once it is committed. No killed process of ours takes it back, but a power cut may, and the
        death of PostgreSQL, until the next durable one: only for what may then happen once more.
        """
        ...

    def truncate_wal(self) -> None:
        """Drain what was deleted out of the database's own log too, where it has one and nobody reads in it."""
        ...

    def close(self) -> None:
        """Let go of every connection, once the write that goes on has ended."""
        ...


class SqliteDatabase:
    """SQLite: one writer per process behind a lock between processes, and readers beside it."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(
        self, url: str, *, cooperative: bool, on_failpoint: Failpoint, on_broken: Callable[[], None], limits: Limits
    ) -> None:
        self._lock = FileLock(sqlite.path_of(url))
        self._writer = sqlite.writer_engine(url, lock_seconds=limits.lock_seconds)
        self._writers = {True: self._writer, False: sqlite.relaxed_durability(self._writer)}
        self._reader = sqlite.reader_engine(url, lock_seconds=limits.lock_seconds)
        self._writes: Executor = NativeThreadExecutor(1) if cooperative else InlineExecutor()
        self._reads: Executor = NativeThreadExecutor(READ_THREADS) if cooperative else InlineExecutor()
        # a single native thread does all the writing where the store is cooperative
        self._turn = nullcontext() if cooperative else threading.Lock()
        self._on_point = on_failpoint
        self._on_broken = on_broken
        self._limits = limits
        self._broken = False

    def read(self, work: Work[T]) -> T:
        return self._reads.run(lambda: self._in_reader(work), self._limits.read_seconds)

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        abandonable = AbandonableWork(work)
        try:
            return self._writes.run(lambda: self._in_turn(abandonable, durable=durable), self._limits.write_seconds)
        except StoreUnavailable:
            abandonable.is_abandoned = True
            raise

    def truncate_wal(self) -> None:
        self._writes.run(self._truncate_log, self._limits.write_seconds)

    def close(self) -> None:
        with suppress(StoreUnavailable):  # a write that hangs keeps its connection and its lock to the end
            self._writes.run(self._let_go, self._limits.write_seconds)

    def _in_reader(self, work: Work[T]) -> T:
        with self._watched(), self._reader.begin() as connection:
            return work(connection)

    def _in_turn(self, work: Work[T], *, durable: bool) -> T:
        with self._turn:
            if self._broken:
                raise StoreBroken("the database was broken before; this process must end")
            with self._watched(), self._lock.held():
                return commit(self._writers[durable], work, self._on_point)

    def _truncate_log(self) -> None:
        with self._turn, self._watched(), self._lock.held():
            sqlite.truncate_log(self._writer, lock_seconds=self._limits.lock_seconds)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Translate what goes wrong. The first I/O error is the last thing this process learns of its disk."""
        try:
            with translated():
                yield
        except StoreBroken:
            if not self._broken:
                self._broken = True
                self._on_broken()
            raise

    def _let_go(self) -> None:
        with self._turn:
            self._writer.dispose()
            self._reader.dispose()
            self._lock.close()


class PostgresDatabase:
    """PostgreSQL: a pool of connections; under gevent every wait is cooperative and has a deadline."""

    kind: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: str, *, cooperative: bool, on_failpoint: Failpoint, limits: Limits) -> None:
        self._engine = postgres.engine_for(url, connections=WEB_CONNECTIONS, lock_seconds=limits.lock_seconds)
        self._runner: Executor = DeadlineExecutor() if cooperative else InlineExecutor()
        self._on_point = on_failpoint
        self._limits = limits

    def read(self, work: Work[T]) -> T:
        return self._runner.run(lambda: self._in_reader(work), self._limits.read_seconds)

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        work = work if durable else postgres.relaxed_durability(work)
        return self._runner.run(lambda: self._in_writer(work), self._limits.write_seconds)

    def truncate_wal(self) -> None:
        """Nothing: the server's log and its vacuum are the server's own."""

    def close(self) -> None:
        self._engine.dispose()

    def _in_reader(self, work: Work[T]) -> T:
        with translated(), self._engine.begin() as connection:
            return work(connection)

    def _in_writer(self, work: Work[T]) -> T:
        with translated():
            return commit(self._engine, work, self._on_point)


def commit(engine: Engine, work: Work[T], on_failpoint: Failpoint) -> T:
    """Do the work and commit it, passing the points where a crash test may strike."""
    with engine.begin() as connection:
        result = work(connection)
        on_failpoint("before_commit")
    on_failpoint("after_commit")
    return result


def open_database(
    url: str, *, cooperative: bool, on_failpoint: Failpoint, on_broken: Callable[[], None], limits: Limits
) -> Database:
    """The database that the URL names; nothing is connected yet."""
    if url.startswith("sqlite:"):
        return SqliteDatabase(
            url, cooperative=cooperative, on_failpoint=on_failpoint, on_broken=on_broken, limits=limits
        )
    return PostgresDatabase(url, cooperative=cooperative, on_failpoint=on_failpoint, limits=limits)
