"""The room on the disk of the database: for the next webhook, and the free space that the settings ask for."""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from app.store.engine.errors import StoreUnavailable

OK = "ok"
DISK_CHECK_SECONDS = 1.0
ROOM_BYTES = 256 * 1024
"""The free space that a probe needs: more than a large webhook of Meta usually takes."""


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
