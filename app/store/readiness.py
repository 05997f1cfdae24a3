"""Whether the store can work now: the database accepts writes, the schema fits this code, the disk has room."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from app.store.engine import sqlite
from app.store.engine.database import Database
from app.store.engine.errors import StoreUnavailable
from app.store.engine.write import Write
from app.store.migrations.upgrade import read_status
from app.store.outage import Outage
from app.store.tables.schema import deliveries, heartbeats
from app.store.tables.types import EPOCH

OK = "ok"
DISK_CHECK_SECONDS = 1.0
ROOM_BYTES = 256 * 1024
"""What a probe looks for: more than a large webhook of Meta's usually has."""

_PROBE = {"process": "readiness-probe", "kind": "probe", "version": "", "started_at": EPOCH, "at": EPOCH}

_LARGE_PROBE = {"event": -1, "destination": "readiness-probe", "state": "probe", "updated_at": EPOCH}


class _Rollback(Exception):
    """Raised by the probe when its write succeeded, so that the transaction rolls back."""


def probe_writing(database: Database, folder: Path | None, *, needs_room: bool) -> None:
    """Insert a row and roll back. Raise `StoreUnavailable`: a lock, a read-only file, a standby, a full disk.

    `folder` is that of a SQLite file: a rolled-back row stays in memory, so that room is looked for there. On
    PostgreSQL even a rolled-back row takes room, and a large one is inserted only if it `needs_room`.
    """

    def insert_and_roll_back(connection: Connection) -> None:
        connection.execute(insert(heartbeats).values(_PROBE))
        if folder is not None:
            refuse_full_disk(folder)
        if needs_room or folder is not None:
            connection.execute(insert(deliveries).values({**_LARGE_PROBE, "attempts": os.urandom(ROOM_BYTES)}))
        raise _Rollback

    with suppress(_Rollback):
        database.write(Write(insert_and_roll_back))


def refuse_full_disk(folder: Path) -> None:
    """Raise `StoreUnavailable` if the disk has no room for a webhook.

    Room is allocated in a file without a name, and freed; nothing is written. A file system that has no such files is
    not asked.
    """
    if not hasattr(os, "O_TMPFILE"):
        return
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, ROOM_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreUnavailable("the disk is full") from error


def check_schema(database: Database) -> str:
    """Return `ok`, or why this code cannot work with the schema. Raise `StoreUnavailable`."""
    status, mode = database.read(_status_and_mode)
    if status.version is None:
        return "there is no schema; run `flask wats db upgrade`"
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
    """Checks, at most once a second, the free space on the database's disk. `folder` is None for a server's disk."""

    def __init__(self, folder: Path | None, min_free_bytes: int) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._result = OK
        self._valid_until = float("-inf")

    def check(self) -> str:
        """Return `ok`, or the problem."""
        if self._folder is not None and time.monotonic() >= self._valid_until:
            self._result = self._measure(self._folder)
            self._valid_until = time.monotonic() + DISK_CHECK_SECONDS
        return self._result

    def free_bytes(self) -> int | None:
        """Return the free space of the disk; None for a server's disk, or where it cannot be read."""
        with suppress(OSError):
            return None if self._folder is None else _free_bytes(self._folder)
        return None

    def _measure(self, folder: Path) -> str:
        try:
            free = _free_bytes(folder)
        except FileNotFoundError:  # the folder is created with the database
            return OK
        except OSError:
            return "the free space of the disk cannot be read"
        return OK if free >= self._min_free_bytes else "too little space is left on the disk"


def _free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class LastCommit:
    """When this process last committed receipts durably: proof that it can write, until a commit fails."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._at = float("-inf")
        self.has_failed = False

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record whether the commit inside succeeds or fails."""
        try:
            yield
        except Exception:
            self._at, self.has_failed = float("-inf"), True
            raise
        self._at, self.has_failed = time.monotonic(), False
        self._outage.over()

    def is_within(self, seconds: float) -> bool:
        """Return whether the last commit succeeded within this many seconds."""
        return time.monotonic() - self._at < seconds
