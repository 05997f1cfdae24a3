"""SQLite: which library is used, and how a connection is set up.

Durable commits use `synchronous = FULL`: with NORMAL a power cut lost acknowledged commits.
"""

import logging
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Pool, StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

from app.store.engine.sqlite_files import file_at, refuse_missing_file, refuse_replaced_file
from app.store.engine.sqlite_pool import SqlitePool

try:
    from pysqlite3 import dbapi2 as bundled
except ImportError:  # no wheel for this platform
    bundled = None

log = logging.getLogger(__name__)

WRITER_CACHE_KIBIBYTES, READER_CACHE_KIBIBYTES = 64 * 1024, 8 * 1024
CHECKPOINT_PAGES = 4000


def driver() -> ModuleType:
    """Return the module of the newest SQLite library that is installed."""
    if bundled is not None and bundled.sqlite_version_info >= sqlite3.sqlite_version_info:
        return bundled  # type: ignore[no-any-return]
    return sqlite3


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Return whether this version can corrupt a WAL database that two connections write.

    3.7.0 to 3.51.2 can, except 3.44.6 and 3.50.7 and later ones of these two series. Source: SQLite's release notes,
    "WAL-reset bug".
    """
    if version[:2] == (3, 50):
        return version < (3, 50, 7)
    if version[:2] == (3, 44):
        return version < (3, 44, 6)
    return (3, 7, 0) <= version < (3, 51, 3)


def journal_mode() -> str:
    """Return the journal mode that is safe with this library: `wal`, or `delete` if it has the WAL-reset bug."""
    return "delete" if has_wal_reset_bug(driver().sqlite_version_info) else "wal"


def path_of(url: str) -> Path:
    """Return the path of the database's file."""
    return Path(str(make_url(url).database))


def writer_engine(url: str, *, lock_seconds: float) -> Engine:
    """Return an engine with one connection, which takes the write lock when a transaction begins."""
    engine = _engine(url, StaticPool, lock_seconds, WRITER_CACHE_KIBIBYTES)
    event.listen(engine, "begin", _begin_to_write)
    return engine


def relaxed_durability(writer: Engine) -> Engine:
    """Return an engine on the same connection whose commits do not wait for the disk.

    Without WAL they do: a commit that is not synced could corrupt the file.
    """
    return writer.execution_options(synchronous="NORMAL") if journal_mode() == "wal" else writer


def _begin_to_write(connection: Connection) -> None:
    """Set how this transaction's commit waits for the disk; the pragma of the last one is still in force."""
    synchronous = connection.get_execution_options().get("synchronous", durable_synchronous())
    if connection.info.get("synchronous") != synchronous:
        _execute_on_driver(connection, f"PRAGMA synchronous = {synchronous}")
        connection.info["synchronous"] = synchronous
    _execute_on_driver(connection, "BEGIN IMMEDIATE")


def durable_synchronous() -> str:
    """Return FULL, or EXTRA without WAL: the deletion of the rollback journal commits, and only EXTRA syncs that."""
    return "FULL" if journal_mode() == "wal" else "EXTRA"


def reader_engine(url: str, *, lock_seconds: float) -> Engine:
    """Return an engine whose connections cannot write."""
    engine = _engine(url, SqlitePool, lock_seconds, READER_CACHE_KIBIBYTES)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = 1"))
    event.listen(engine, "begin", lambda connection: _execute_on_driver(connection, "BEGIN"))
    return engine


def _engine(url: str, pool: type[Pool], lock_seconds: float, cache_kibibytes: int) -> Engine:
    path = path_of(url)

    def set_up(connection: Any, record: ConnectionPoolEntry) -> None:
        _set_up(connection, cache_kibibytes)
        record.info["file"] = file_at(path)

    engine = create_engine(
        "sqlite://",
        module=driver(),
        creator=lambda: _connect(path, lock_seconds),
        poolclass=pool,
        hide_parameters=True,
    )
    event.listen(engine, "connect", set_up)
    event.listen(engine, "commit", lambda connection: refuse_replaced_file(connection, path))
    return engine


def _connect(path: Path, lock_seconds: float) -> Any:
    """Connect to an existing file. SQLite would create a missing one, and delete the log that a moved one left."""
    refuse_missing_file(path)
    uri = f"file:{quote(str(path))}?mode=rw"
    return driver().connect(uri, uri=True, timeout=lock_seconds, isolation_level=None, check_same_thread=False)


def _execute_on_driver(connection: Connection, sql: str) -> None:
    """Bypass SQLAlchemy's statement machinery, which costs more than the rest of beginning a transaction."""
    assert connection.connection.driver_connection is not None
    connection.connection.driver_connection.execute(sql)


def _set_up(connection: Any, cache_kibibytes: int) -> None:
    for pragma in (
        f"synchronous = {durable_synchronous()}",
        "foreign_keys = 1",
        f"cache_size = -{cache_kibibytes}",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        "mmap_size = 0",
        "trusted_schema = 0",
        "secure_delete = ON",  # overwrite with zeros what is deleted, also in pages that become free
    ):
        connection.execute(f"PRAGMA {pragma}")


def set_journal_mode(engine: Engine) -> None:
    """Switch the file to the journal mode that is safe with this library, under the lock, outside a transaction."""
    mode = journal_mode()
    if mode != "wal":
        version = driver().sqlite_version
        log.warning("store.wal_refused", extra={"reason": f"SQLite {version} has the WAL-reset bug; using DELETE"})
    connection = engine.raw_connection()
    try:
        connection.driver_connection.execute(f"PRAGMA journal_mode = {mode}")  # type: ignore[union-attr]
    finally:
        connection.close()


def truncate_wal(engine: Engine, *, lock_seconds: float) -> bool:
    """Copy the write-ahead log into the database and truncate it. Return False if a reader still uses it."""
    connection = engine.raw_connection()
    try:
        driver_connection: Any = connection.driver_connection
        driver_connection.execute("PRAGMA busy_timeout = 0")
        is_busy, *_ = driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        driver_connection.execute(f"PRAGMA busy_timeout = {round(lock_seconds * 1000)}")
        return not is_busy
    finally:
        connection.close()


def is_log_in_file(engine: Engine) -> bool:
    """Return whether everything that the write-ahead log holds, if there is one, is in the database file too."""
    connection = engine.raw_connection()
    try:
        driver_connection: Any = connection.driver_connection
        is_busy, frames, copied = driver_connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not is_busy and bool(frames == copied)
    finally:
        connection.close()
