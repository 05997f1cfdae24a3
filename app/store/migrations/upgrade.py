"""Upgrades the schema, in one process at a time, under a lock that is released when its holder dies.

Revisions are numbered in sequence ("0001", "0002", …), so that two of them can be compared.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select, text

from app.domain.database_identity import Owner
from app.store.engine import postgres, sqlite
from app.store.engine.database import Limits
from app.store.engine.errors import translating_errors
from app.store.engine.file_lock import FileLock
from app.store.engine.sqlite_files import create_file
from app.store.engine.sqlite_marks import ALL, set_marks
from app.store.engine.write import Failpoint
from app.store.migrations.busy_tables import in_short_attempts
from app.store.owner import record_owner, refuse_foreign_tables, refuse_other_owner
from app.store.tables.schema import compatibility

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent
VERSION_TABLE = "schema_version"
RETRY_SECONDS = 0.2

_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")


@dataclass(frozen=True)
class SchemaStatus:
    """The database's revision (None: no schema yet), this code's revision, and whether they are compatible."""

    version: str | None
    head: str
    compatible: bool


def upgrade_schema(url: str, owner: Owner | None, on_failpoint: Failpoint, limits: Limits) -> SchemaStatus:
    """Upgrade the schema to the newest version, and record the owner. Leave a schema that is newer than this code.

    Raise `StoreNotOurs`, and change nothing, if the database is another's. Cleaning up after older code is not done
    here, before a start, but by the worker.
    """
    with translating_errors(), _locked(url, limits) as engine:
        if engine.dialect.name == "postgresql":
            _upgrade_while_in_use(engine, owner, on_failpoint)
        return _upgrade_at_once(engine, owner, on_failpoint)


def _upgrade_at_once(engine: Engine, owner: Owner | None, on_failpoint: Failpoint) -> SchemaStatus:
    """Run what is left of the migrations and record the owner, in one transaction."""
    former = None
    with engine.begin() as connection:
        version = _version(connection)
        if version is None:
            refuse_foreign_tables(connection)
        elif owner is not None:
            refuse_other_owner(connection, owner)
        if (version or "") < _head():
            _upgrade(connection)
            on_failpoint("in_migration")
        if owner is not None:
            former = record_owner(connection, owner)
        if version is None and engine.dialect.name == "sqlite":
            set_marks(connection, ALL)
        status = read_status(connection)
    if owner is not None and former is not None:
        log.warning("store.profile_changed", extra={"reason": _change_of_profile(former, owner.profile)})
    return status


def _change_of_profile(former: str, profile: str) -> str:
    return (
        f"the profile {former} has used this database, and now {profile} does; run only one of them on it, because"
        " each delivers to its own destinations"
    )


def _upgrade_while_in_use(engine: Engine, owner: Owner | None, on_failpoint: Failpoint) -> None:
    """Upgrade a schema that other processes use: each migration in a transaction of its own, large indexes in none.

    One transaction for all would keep its locks while it reads whole tables, and others would wait in vain. Where
    this is killed or waits too long for a lock, the next upgrade goes on.
    """
    with engine.connect() as connection:
        version = _version(connection)
        if version is None or version >= _head():
            return
        if owner is not None:
            refuse_other_owner(connection, owner)
    in_short_attempts(engine, _upgrade)
    on_failpoint("in_migration")


def read_status(connection: Connection) -> SchemaStatus:
    """Return the schema's status. A newer schema is compatible if it says that this code may still use it."""
    version, head = _version(connection), _head()
    compatible = version == head or (version is not None and version > head and _oldest_code(connection) <= head)
    return SchemaStatus(version, head, compatible)


def no_schema() -> SchemaStatus:
    """Return the status of a database that does not exist yet."""
    return SchemaStatus(None, _head(), compatible=False)


@contextmanager
def _locked(url: str, limits: Limits) -> Iterator[Engine]:
    lock = _sqlite_locked(url, limits) if url.startswith("sqlite:") else _postgres_locked(url, limits)
    with lock as engine:
        yield engine


@contextmanager
def _sqlite_locked(url: str, limits: Limits) -> Iterator[Engine]:
    path = sqlite.path_of(url)
    lock = FileLock(path)
    engine = sqlite.writer_engine(url, lock_seconds=limits.lock_seconds)
    try:
        with lock.held():
            create_file(path)
            sqlite.set_journal_mode(engine)
            yield engine
    finally:
        engine.dispose()
        lock.close()


@contextmanager
def _postgres_locked(url: str, limits: Limits) -> Iterator[Engine]:
    """Wait for the lock without a limit, in a session of its own, so that it outlives the migrations' transactions.

    Asking again and again leaves no statement open: an index that is built meanwhile would wait for its end for good.
    """
    engine = postgres.engine_for(
        url, connections=2, pool_seconds=limits.pool_seconds, lock_seconds=limits.lock_seconds
    )
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
            while not session.execute(_TRY_LOCK, {"key": postgres.MIGRATION_LOCK}).scalar_one():
                time.sleep(RETRY_SECONDS)
            yield engine
            session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": postgres.MIGRATION_LOCK})
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    """Run the migrations. Alembic is imported only here: it is a third of a process's imports, and rarely needed."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # an option may hold %(name)s
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608


def _oldest_code(connection: Connection) -> str:
    if not inspect(connection).has_table(compatibility.name):
        return "~"  # sorts after every revision: nothing says that this code may use it
    return str(connection.execute(select(compatibility.c.oldest_code)).scalar_one())


@cache
def _head() -> str:
    return max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v????_*.py"))
