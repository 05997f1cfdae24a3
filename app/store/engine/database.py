"""The database of one process: its connections, and the executors that its reads and writes run in."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from app.store.engine import postgres, sqlite
from app.store.engine.errors import StoreBroken, StoreUnavailable, translating_errors
from app.store.engine.executors import Executor, GreenletExecutor, InlineExecutor, NativeThreadExecutor
from app.store.engine.file_lock import FileLock
from app.store.engine.pool_log import summarise_lost_connections
from app.store.engine.sqlite_gaps import GapCleaner, UncleanPages
from app.store.engine.write import CommitNotifier, Failpoint, Transaction, Work, Write

T = TypeVar("T")

READ_THREADS = 4


@dataclass(frozen=True)
class Limits:
    """How long a transaction waits for a lock in the database, and a greenlet for a read or a write.

    For PostgreSQL also how many connections the pool keeps, how long a greenlet waits for one of them, and how long
    a transaction may be idle.
    """

    lock_seconds: float = 5.0
    read_seconds: float = 2.0
    write_seconds: float = 8.0
    connections: int = 8
    pool_seconds: float = 3.0
    idle_seconds: float = 5.0


class Database(Protocol):
    """Runs transactions. Each method raises `StoreUnavailable`; after the first `StoreBroken` every write does."""

    kind: Literal["sqlite", "postgresql"]

    def read(self, work: Work[T]) -> T:
        """Return the result of work that writes nothing."""
        ...

    def write(self, write: Write[T]) -> T:
        """Commit the write in one transaction, notify its channels and return the result of its work.

        A write whose caller timed out is rolled back, however late its transaction runs.
        """
        ...

    def truncate_wal(self) -> None:
        """Remove deleted data from SQLite's write-ahead log too, if no reader uses it."""
        ...

    def clean_gaps(self) -> int:
        """Overwrite the gaps of the next pages of a SQLite file; return the page at which the next step begins."""
        ...

    def close(self) -> None:
        """Close every connection, after the write that is running."""
        ...


class SqliteDatabase:
    """SQLite: one writer in each process, a file lock between writers of all processes, and concurrent readers."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(
        self,
        url: str,
        notifier: CommitNotifier,
        *,
        cooperative: bool,
        on_failpoint: Failpoint,
        on_broken: Callable[[], None],
        limits: Limits,
    ) -> None:
        self._notifier = notifier
        self._file_lock = FileLock(sqlite.path_of(url))
        self._cleaner = GapCleaner(url, self._file_lock, limits.lock_seconds)
        self._writer = sqlite.writer_engine(url, lock_seconds=limits.lock_seconds)
        self._writers = {True: self._writer, False: sqlite.relaxed_durability(self._writer)}
        self._reader = sqlite.reader_engine(url, lock_seconds=limits.lock_seconds)
        self._write_executor: Executor = NativeThreadExecutor(1) if cooperative else InlineExecutor()
        self._read_executor: Executor = NativeThreadExecutor(READ_THREADS) if cooperative else InlineExecutor()
        # the one native thread of a cooperative store needs no lock against others
        self._thread_lock = nullcontext() if cooperative else threading.Lock()
        self._on_failpoint = on_failpoint
        self._on_broken = on_broken
        self._limits = limits
        self._is_broken = False

    def read(self, work: Work[T]) -> T:
        return self._read_executor.run(self._limits.read_seconds, self._read, work)

    def write(self, write: Write[T]) -> T:
        transaction = Transaction(write, self._notifier, self._on_failpoint)
        with transaction.abandoned_if_late():
            result = self._write_executor.run(self._limits.write_seconds, self._commit, transaction)
        self._notifier.notify_after_commit(write.woken)
        return result

    def truncate_wal(self) -> None:
        self._write_executor.run(self._limits.write_seconds, self._truncate_wal)

    def clean_gaps(self) -> int:
        found = self._read_executor.run(self._limits.read_seconds, self._find_gaps)
        return self._write_executor.run(self._limits.write_seconds, self._clean_gaps, found)

    def close(self) -> None:
        with suppress(
            StoreUnavailable
        ):  # a write that hangs keeps its connection and its lock until the process ends
            self._write_executor.run(self._limits.write_seconds, self._dispose)

    def _read(self, work: Work[T]) -> T:
        with self._guarded(), self._reader.begin() as connection:
            return work(connection)

    def _commit(self, transaction: Transaction[T]) -> T:
        with self._thread_lock:
            if self._is_broken:
                raise StoreBroken("the database was broken before; this process must end")
            with self._guarded(), self._file_lock.held():
                return transaction.commit(self._writers[transaction.write.durable])

    def _truncate_wal(self) -> None:
        with self._thread_lock, self._guarded(), self._file_lock.held():
            sqlite.truncate_wal(self._writer, lock_seconds=self._limits.lock_seconds)

    def _find_gaps(self) -> UncleanPages:
        with self._guarded():
            return self._cleaner.find()

    def _clean_gaps(self, found: UncleanPages) -> int:
        with self._thread_lock, self._guarded(), self._file_lock.held():
            return self._cleaner.clean(found, self._writer)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Translate errors. After the first I/O error the state of the disk is unknown: refuse every later write."""
        try:
            with translating_errors():
                yield
        except StoreBroken:
            if not self._is_broken:
                self._is_broken = True
                self._on_broken()
            raise

    def _dispose(self) -> None:
        with self._thread_lock:
            self._writer.dispose()
            self._reader.dispose()
            self._cleaner.close()
            self._file_lock.close()


class PostgresDatabase:
    """PostgreSQL: a pool of connections. Under gevent every wait is cooperative and has a deadline."""

    kind: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(
        self, url: str, notifier: CommitNotifier, *, cooperative: bool, on_failpoint: Failpoint, limits: Limits
    ) -> None:
        self._notifier = notifier
        self._engine = postgres.engine_for(
            url,
            connections=limits.connections,
            pool_seconds=limits.pool_seconds,
            lock_seconds=limits.lock_seconds,
            idle_seconds=limits.idle_seconds,
        )
        self._writers = {durable: postgres.writer(self._engine, durable=durable) for durable in (True, False)}
        self._reader = postgres.autocommit(self._engine)
        self._executor: Executor = GreenletExecutor() if cooperative else InlineExecutor()
        self._on_failpoint = on_failpoint
        self._limits = limits

    def read(self, work: Work[T]) -> T:
        return self._executor.run(self._limits.read_seconds, self._read, work)

    def write(self, write: Write[T]) -> T:
        transaction = Transaction(write, self._notifier, self._on_failpoint)
        with transaction.abandoned_if_late():
            result = self._executor.run(self._limits.write_seconds, self._commit, transaction)
        self._notifier.notify_after_commit(write.woken)
        return result

    def truncate_wal(self) -> None:
        """Do nothing: the server recycles its log and vacuums by itself."""

    def clean_gaps(self) -> int:
        """Do nothing: the server vacuums by itself."""
        return 0

    def close(self) -> None:
        self._engine.dispose()

    def _read(self, work: Work[T]) -> T:
        with translating_errors(), self._reader.connect() as connection:
            return work(connection)

    def _commit(self, transaction: Transaction[T]) -> T:
        with translating_errors():
            return transaction.commit(self._writers[transaction.write.durable])


def open_database(
    url: str,
    notifier: CommitNotifier,
    *,
    cooperative: bool,
    on_failpoint: Failpoint,
    on_broken: Callable[[], None],
    limits: Limits,
) -> Database:
    """Return the database that the URL names. It connects when it is first used."""
    summarise_lost_connections()
    if url.startswith("sqlite:"):
        return SqliteDatabase(
            url, notifier, cooperative=cooperative, on_failpoint=on_failpoint, on_broken=on_broken, limits=limits
        )
    return PostgresDatabase(url, notifier, cooperative=cooperative, on_failpoint=on_failpoint, limits=limits)
