"""The files of a SQLite database: how they are created, and whether they are still the ones that were opened."""

import os
from pathlib import Path

from sqlalchemy import Connection

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class FileMissing(OSError):
    """There is no database yet."""


class OrphanedWal(OSError):
    """The database was moved away, and its write-ahead log was left behind."""


class DatabaseFileReplaced(OSError):
    """The path of the database, or of its log, no longer leads to the file that is open."""


def make_private(path: Path) -> None:
    """Create the folder and the file, unless they exist, readable by this user only. SQLite would let others read."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))


def create_file(path: Path) -> None:
    """Create an empty database, unless it exists. Raise `OrphanedWal` if only its log exists."""
    if _has_log_alone(path):
        raise OrphanedWal
    make_private(path)


def refuse_missing_file(path: Path) -> None:
    """Raise `FileMissing`, or `OrphanedWal` if a log was left: it may hold what a killed process had acknowledged.

    Only `create_file` may create a database.
    """
    if not path.exists():
        raise OrphanedWal if _has_log_alone(path) else FileMissing


def refuse_replaced_file(connection: Connection, path: Path) -> None:
    """Raise `DatabaseFileReplaced` if the file or its log was moved, deleted or replaced since it was opened.

    Called just before a commit: what is written into a deleted file is lost, although it is acknowledged.
    """
    file, log_file = file_at(path), file_at(log_of(path))
    if file is None or file != connection.info["file"]:
        raise DatabaseFileReplaced
    if log_file != connection.info.setdefault("log", log_file):
        raise DatabaseFileReplaced


def file_at(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of the file at this path; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def copy_of(path: Path) -> Path:
    """Return the path of the copy that a rewriting makes while it holds the lock. One that was killed leaves it."""
    return path.with_name(path.name + "-copy")


def log_of(path: Path) -> Path:
    """Return the path of the database's write-ahead log."""
    return path.with_name(path.name + "-wal")


def _has_log_alone(path: Path) -> bool:
    """Return whether there is a log with content but no database."""
    log_file = log_of(path)
    return not path.exists() and log_file.exists() and log_file.stat().st_size > 0
