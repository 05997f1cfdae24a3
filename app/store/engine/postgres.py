"""PostgreSQL: how a connection is set up. Every wait has a limit; commits are durable whatever the defaults."""

import select
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from app.gevent_patch import native
from app.store.engine.postgres_pooler import PoolerCheck, TransactionPooler, session_of

CONNECT_SECONDS = 3
STATEMENT_MILLISECONDS = 30_000
CONNECT_ARGS = {"connect_timeout": CONNECT_SECONDS, "application_name": "wats"}
KEEP_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}

RECEIPTS_LOCK, MIGRATION_LOCK = 0x77617473_0001, 0x77617473_0002
"""Keys of advisory locks: "wats" and a number."""

BEGIN = "SELECT now(); BEGIN"
"""The first statement is a part of the transaction, because the server gets both at once: its time is the same."""

RESTED_SECONDS = 1.0
"""A connection that was not used for this long is pinged before it is used again."""

STEADY_PLANS = "SET plan_cache_mode = force_custom_plan; SET enable_bitmapscan = off"
"""Plan each claim anew, and by the index. The jobs table grows faster than its statistics: a plan cached while it was
small, or one that sorts a backlog which the planner thinks is small, took 30 ms for a claim among 100,000 jobs. The
index takes 0.3 ms."""


class NotUtf8(Exception):
    """The database stores text in another encoding. The driver then returns bytes, or refuses most languages."""


def engine_for(
    url: str, *, connections: int, pool_seconds: float, lock_seconds: float, idle_seconds: float = 5.0
) -> Engine:
    """Return an engine with a pool that keeps this many connections. It replaces those that a server's restart broke.

    A thread or greenlet waits `pool_seconds` for a connection, and a transaction `lock_seconds` for a lock. The
    server ends a transaction that is idle for `idle_seconds`: its process hangs, and others wait for its locks.
    Connecting through a transaction pooler raises `TransactionPooler`, to a database of another encoding `NotUtf8`.
    """
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=2,
        pool_timeout=pool_seconds,
        hide_parameters=True,
        connect_args=CONNECT_ARGS,
        use_native_hstore=False,  # no column has the type, and each process would look for it
    )
    event.listen(engine, "connect", _refuse_other_encodings, insert=True)  # before SQLAlchemy asks for the version
    check = _pooler_check(url)
    event.listen(engine, "connect", lambda connection, _: _set_up(connection, check, lock_seconds, idle_seconds))
    event.listen(engine, "reset", _note_rest)
    event.listen(engine, "checkout", partial(_refuse_lost, engine.dialect))
    return engine


def _note_rest(_connection: Any, record: ConnectionPoolEntry, _state: object) -> None:
    """Note when a connection comes back to the pool."""
    record.info["rests_since"] = time.monotonic()


def _refuse_lost(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Let the pool replace its connections if this one is lost: a ping fails.

    A ping costs a round trip, so a connection that was just in use is not pinged unless it can be read: a server that
    restarts closes it, and says why.
    """
    rests_since = record.info.pop("rests_since", None)
    if rests_since is None:
        return
    try:
        if time.monotonic() - rests_since > RESTED_SECONDS or _can_be_read(connection):
            dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _can_be_read(connection: Any) -> bool:
    poll = native("select", "poll")()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _refuse_other_encodings(connection: Any, _record: object) -> None:
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise NotUtf8


def serialize_receipt_inserts(connection: Connection) -> None:
    """Let one transaction at a time add receipts, so that their ids follow the order of their commits."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({RECEIPTS_LOCK})")


def autocommit(engine: Engine) -> Engine:
    """Return an engine on the same pool for reads. It saves the round trips of BEGIN and COMMIT.

    Nothing else changes: at READ COMMITTED each statement sees a snapshot of its own in any case.
    """
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def writer(engine: Engine, *, durable: bool) -> Engine:
    """Return an engine on the same pool for writes. Unless they are `durable`, commits do not wait for the disk.

    One round trip begins a transaction, sets it up and asks for its time. The driver would begin it by another one;
    in autocommit it leaves that to us, and commits and rolls back as usual.
    """
    begin = BEGIN if durable else f"{BEGIN}; SET LOCAL synchronous_commit = off"
    options = engine.execution_options(isolation_level="AUTOCOMMIT", has_started_at=True)
    event.listen(options, "begin", partial(_begin, begin))
    event.listen(options, "commit", _commit)
    return options


def notify_at_commit(connection: Connection, names: Iterable[str]) -> None:
    """Notify these names when this connection of a writer commits."""
    connection.info["notified"] = [f"NOTIFY {name}" for name in names]


def started_at(connection: Connection) -> datetime | None:
    """Return the time at which the transaction of a writer began; None outside of one."""
    has_time = connection.get_execution_options().get("has_started_at")
    time: datetime | None = connection.info["started_at"] if has_time else None
    return time


def _begin(statements: str, connection: Connection) -> None:
    """Run through SQLAlchemy, which translates a lost connection and removes it from the pool."""
    connection.info["notified"] = []
    connection.info["started_at"] = connection.exec_driver_sql(statements).scalar_one().astimezone(UTC)


def _commit(connection: Connection) -> None:
    """Notify and commit by one round trip. The driver finds nothing to commit then."""
    if notified := connection.info["notified"]:
        connection.exec_driver_sql("; ".join([*notified, "COMMIT"]))


@contextmanager
def listening(url: str, names: Iterable[str]) -> Iterator[Iterator[str]]:
    """Open a connection that listens to these names, and yield an iterator of the names that are notified.

    TCP keep-alives detect a server that is gone.
    """
    connection = _connect_alone(url, **KEEP_ALIVE)
    try:
        _pooler_check(url).refuse_pooler(connection, session_of(connection))
        connection.commit()
        connection.autocommit = True
        for name in names:
            connection.execute(f"LISTEN {name}")
        yield (notification.channel for notification in connection.notifies())
    finally:
        connection.close()


def connection_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that a broken connection may raise. Import the driver, which takes 111 ms, only here."""
    import psycopg

    return (SQLAlchemyError, psycopg.Error, OSError, TransactionPooler, NotUtf8)


@cache
def _pooler_check(url: str) -> PoolerCheck:
    """Return the one check of this process for the URL, which its pool and its listener share."""
    return PoolerCheck(lambda: _connect_alone(url))


def _connect_alone(url: str, **options: int) -> Any:
    """Open a connection of the driver, without an engine: that would first ask the server what no caller needs."""
    parts = make_url(url)
    kind: Any = parts.get_dialect()
    dialect = kind(dbapi=kind.import_dbapi())
    arguments, parameters = dialect.create_connect_args(parts)
    return dialect.connect(*arguments, **{**parameters, **CONNECT_ARGS, **options})


def _set_up(connection: Any, check: PoolerCheck, lock_seconds: float, idle_seconds: float) -> None:
    """Set up a new connection. Arrays are sent in binary: as text a list of bytes takes 50 times the time here."""
    from psycopg.types.array import ListBinaryDumper

    connection.adapters.register_dumper(list, ListBinaryDumper)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('synchronous_commit'), pg_backend_pid()")
        synchronous_commit, session = cursor.fetchone()
        try:
            check.refuse_pooler(connection, session)  # before any setting: a pooler would give it to others
        except TransactionPooler:
            connection.close()
            raise
        cursor.execute(
            "SET timezone = 'UTC'; SET default_transaction_isolation = 'read committed';"
            f" SET statement_timeout = {STATEMENT_MILLISECONDS};"
            f" SET lock_timeout = {round(lock_seconds * 1000)};"
            f" SET idle_in_transaction_session_timeout = {round(idle_seconds * 1000)};"
            f" {STEADY_PLANS}"
        )
        if synchronous_commit == "off":  # a default of the server or the role; acknowledged commits could be lost
            cursor.execute("SET synchronous_commit = on")
    connection.commit()
