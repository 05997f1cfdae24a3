"""Whether the store can work now: the database accepts writes, and the schema fits this code."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from app.store.disk import OK, ROOM_BYTES, refuse_full_disk
from app.store.engine import sqlite
from app.store.engine.database import Database
from app.store.engine.write import Write
from app.store.migrations.upgrade import read_status
from app.store.tables.schema import deliveries, heartbeats
from app.store.tables.types import EPOCH

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
