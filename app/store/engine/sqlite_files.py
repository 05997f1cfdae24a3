"""The files of a SQLite database: who may make them, and whether they are still those that were opened."""

import os
from pathlib import Path

from sqlalchemy import Connection

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class FileMissing(OSError):
    """There is no database yet."""


class OrphanedWal(OSError):
    """The database was moved away, and its log was left behind."""


class DatabaseFileReplaced(OSError):
    """Under the database's name, or its log's, stands another file than the one that is open, or none."""


def make_private(path: Path) -> None:
    """Create the folder and the file, if they are missing, for this user only; SQLite would for everybody."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))


def create_file(path: Path) -> None:
    """Make an empty database, unless it is there."""
    if _has_log_alone(path):
        raise OrphanedWal
    make_private(path)


def refuse_missing_file(path: Path) -> None:
    """Only `create_file` makes a database: what a killed process had acknowledged may be in its log alone."""
    if not path.exists():
        raise OrphanedWal if _has_log_alone(path) else FileMissing


def refuse_replaced_file(connection: Connection, path: Path) -> None:
    """What is written into a file that was moved away or deleted is acknowledged and lost: look, just before."""
    file, log_file = file_at(path), file_at(_log_of(path))
    if file is None or file != connection.info["file"]:
        raise DatabaseFileReplaced
    if log_file != connection.info.setdefault("log", log_file):
        raise DatabaseFileReplaced


def file_at(path: Path) -> tuple[int, int] | None:
    """Which file stands there, by device and inode; None if none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _has_log_alone(path: Path) -> bool:
    """Tells whether there is a log with something in it, but no database that it belongs to."""
    log_file = _log_of(path)
    return not path.exists() and log_file.exists() and log_file.stat().st_size > 0
