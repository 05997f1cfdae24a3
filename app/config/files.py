"""Reading small files that people name: regular ones only, with a cap, without ever blocking on a pipe."""

import os
import stat
from pathlib import Path

from app.config.mistakes import Bad


def read_regular_file(path: Path, *, limit: int) -> bytes:
    """The bytes of a regular file (or of what a symbolic link leads to), at most `limit` of them.

    Raises `Bad` with the codes file_missing, file_unreadable, not_a_file or file_too_large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Bad("file_missing", "the file does not exist") from error
    except (OSError, ValueError) as error:
        raise Bad("file_unreadable", "the file cannot be opened") from error
    with os.fdopen(descriptor, "rb", closefd=True) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Bad("not_a_file", "a regular file is needed, not a directory, pipe or device")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Bad("file_too_large", f"the file is larger than {limit // 1024} KiB")
    return content


def is_readable_by_others(path: Path) -> bool:
    """Tells whether users other than the owner and its group may read the file."""
    return bool(path.stat().st_mode & stat.S_IROTH)
