"""Reading small files that an operator names: regular files only, up to a size, never blocking on a pipe."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from app.config.errors import InvalidValue

NO_FILE = "file_missing"


@dataclass(frozen=True)
class Content:
    """A file's bytes, and whether users other than its owner and group may read it."""

    data: bytes
    is_open_to_others: bool


def read_regular_file(path: Path, *, max_bytes: int) -> Content:
    """Return the content of a regular file (or of what a symbolic link leads to), at most `max_bytes` bytes.

    Raises `InvalidValue` with the codes file_missing, file_unreadable, not_a_file or file_too_large.
    """
    descriptor = _open(path)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise InvalidValue("not_a_file", "a regular file is needed, not a directory, pipe or device")
        data = _read(descriptor, max_bytes + 1)
    except OSError as error:
        raise InvalidValue("file_unreadable", "the file cannot be read") from error
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise InvalidValue("file_too_large", f"the file is larger than {max_bytes // 1024} KiB")
    return Content(data, bool(mode & stat.S_IROTH))


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise InvalidValue(NO_FILE, "the file does not exist") from error
    except (OSError, ValueError) as error:
        raise InvalidValue("file_unreadable", "the file cannot be opened") from error


def _read(descriptor: int, max_bytes: int) -> bytes:
    parts = bytearray()
    while len(parts) < max_bytes and (part := os.read(descriptor, max_bytes - len(parts))):
        parts += part
    return bytes(parts)
