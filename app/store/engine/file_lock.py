"""The file lock that a process holds while it writes to SQLite.

Processes that queue for a lock wait a similar time each. SQLite's own busy polling starves some of them (p99 12 ms
against 300).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.store.engine.sqlite_files import make_private


class FileLock:
    """A lock between processes, released when its holder dies. One thread of a process at a time may use it."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + "-lock")
        self._descriptor: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock and hold it."""
        descriptor = self._open()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def read_note(self, size: int) -> bytes:
        """Return the first bytes of the note that the last holder has left in the file."""
        try:
            with self._path.open("rb") as file:
                return file.read(size)
        except FileNotFoundError:
            return b""

    def write_note(self, note: bytes) -> None:
        """Leave a note in the file for the next holder. It may be lost."""
        os.pwrite(self._open(), note, 0)

    def _open(self) -> int:
        if self._descriptor is None:
            make_private(self._path)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        return self._descriptor

    def close(self) -> None:
        """Close the lock's file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
