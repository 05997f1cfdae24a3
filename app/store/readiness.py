"""Whether the store can do its work now: a database that takes writes, a schema that fits, room on the disk."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from app.store.engine import sqlite
from app.store.engine.database import Database
from app.store.engine.errors import StoreUnavailable
from app.store.migrations.upgrade import read_status
from app.store.tables.schema import heartbeats
from app.store.tables.types import EPOCH

OK = "ok"
DISK_LOOK_SECONDS = 1.0
_PROBE = {"process": "readiness-probe", "kind": "probe", "version": "", "started_at": EPOCH, "at": EPOCH}


class _Rollback(Exception):
    """The probe has seen what it wanted; nothing shall stay of it."""


def probe_writing(database: Database) -> str:
    """Write a row and take it back: what a lock, a read-only file or a standby would not let happen."""

    def write_and_take_back(connection: Connection) -> None:
        connection.execute(insert(heartbeats).values(_PROBE))
        raise _Rollback

    try:
        database.write(write_and_take_back)
    except _Rollback:
        return OK
    except StoreUnavailable as error:
        return str(error)
    return OK


def check_schema(database: Database) -> str:
    """Whether this code can work with the schema."""
    try:
        status, mode = database.read(_status_and_mode)
    except StoreUnavailable as error:
        return str(error)
    if status.version is None:
        return "there is no schema; run db upgrade"
    if not status.compatible:
        return f"the schema is at {status.version}, this code at {status.head}"
    if database.kind == "sqlite" and mode != sqlite.journal_mode():
        return "the journal mode is not safe with this SQLite; run db upgrade"
    return OK


def _status_and_mode(connection: Connection) -> tuple[Any, str]:
    mode = ""
    if connection.dialect.name == "sqlite":
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    return read_status(connection), mode


class DiskGuard:
    """Looks, at most once a second, whether the disk under the database still has room. None: not our disk."""

    def __init__(self, folder: Path | None, min_free_bytes: int) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._answer = OK
        self._until = float("-inf")

    def check(self) -> str:
        """`ok`, or that too little is free."""
        if self._folder is not None and time.monotonic() >= self._until:
            self._answer = self._look(self._folder)
            self._until = time.monotonic() + DISK_LOOK_SECONDS
        return self._answer

    def _look(self, folder: Path) -> str:
        try:
            disk = os.statvfs(folder)
        except FileNotFoundError:  # the folder is made with the database
            return OK
        except OSError:
            return "the disk cannot be looked at"
        free = disk.f_bavail * disk.f_frsize
        return OK if free >= self._min_free_bytes else "too little room is left on the disk"


class LastCommit:
    """When this process last made something durable: the best proof that it still can, until it fails to."""

    def __init__(self) -> None:
        self._at = float("-inf")

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Around what makes something durable, or fails to."""
        try:
            yield
        except Exception:
            self._at = float("-inf")
            raise
        self._at = time.monotonic()

    def is_within(self, seconds: float) -> bool:
        """Tells whether it did within so many seconds."""
        return time.monotonic() - self._at < seconds
