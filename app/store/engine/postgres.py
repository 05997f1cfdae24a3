"""PostgreSQL: how a connection is set up. Every wait has a limit; durability is asked for, whatever the default."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")

CONNECT_SECONDS = 3
POOL_WAIT_SECONDS = 3.0
STATEMENT_MILLISECONDS = 30_000
LOCK_SECONDS = 5.0
IDLE_IN_TRANSACTION_MILLISECONDS = 5_000
CONNECT_ARGS = {"connect_timeout": CONNECT_SECONDS, "application_name": "wats"}
KEEP_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
RECEIPTS_LOCK = 0x77617473_0001
STEADY_PLANS = "SET plan_cache_mode = force_custom_plan; SET enable_bitmapscan = off"
"""A queue grows faster than its statistics. A plan kept from when it was small, or one that sorts all of a backlog of
which it thinks that it is small, took 30 ms for a claim among 100,000 jobs; by the index it is 0.3 ms."""
MIGRATION_LOCK = 0x77617473_0002


def engine_for(url: str, *, connections: int, lock_seconds: float = LOCK_SECONDS) -> Engine:
    """A pool of so many connections that notices when the server has gone and come back."""
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=2,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=CONNECT_ARGS,
    )
    event.listen(engine, "connect", lambda connection, _: _set_up(connection, lock_seconds))
    return engine


def serialize_receipt_inserts(connection: Connection) -> None:
    """Let one transaction at a time add receipts, so that their ids follow the order of their commits."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": RECEIPTS_LOCK})


def relaxed_durability(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """The same work in a transaction whose commit does not wait for the disk."""

    def work_relaxed(connection: Connection) -> T:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        return work(connection)

    return work_relaxed


@contextmanager
def listening(url: str, names: Iterable[str]) -> Iterator[Iterator[str]]:
    """A connection of its own that hears NOTIFY: the names that ring, as they do. Keep-alives notice a dead peer."""
    engine = create_engine(url, poolclass=NullPool, connect_args={**CONNECT_ARGS, **KEEP_ALIVE})
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        driver.autocommit = True
        for name in names:
            driver.execute(f"LISTEN {name}")
        yield (ring.channel for ring in driver.notifies())
    finally:
        connection.close()


def connection_errors() -> tuple[type[Exception], ...]:
    """What a connection that breaks may raise. (The driver is imported only where PostgreSQL is used.)"""
    import psycopg

    return (SQLAlchemyError, psycopg.Error, OSError)


def _set_up(connection: Any, lock_seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET timezone = 'UTC'; SET default_transaction_isolation = 'read committed';"
            f" SET statement_timeout = {STATEMENT_MILLISECONDS};"
            f" SET lock_timeout = {round(lock_seconds * 1000)};"
            f" SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MILLISECONDS};"
            f" {STEADY_PLANS}"
        )
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] == "off":  # a default of the server or the role that would break the promise
            cursor.execute("SET synchronous_commit = on")
    connection.commit()
