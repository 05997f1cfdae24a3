"""Files on a disk: written under the name of a part, brought to the disk, and given their own name."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PART = ".part-"
"""Begins the name of a file that is being written. One that is old was left by a process that died."""

_PART_NAME = re.compile(re.escape(PART) + "[0-9a-f]{16}", re.ASCII)


def part_in(folder: Path) -> Path:
    """Return a new name for a file that is being written in this folder."""
    return folder / f"{PART}{secrets.token_hex(8)}"


def is_part(path: Path) -> bool:
    """Return whether a file was being written."""
    return _PART_NAME.fullmatch(path.name) is not None


def sync(file: BinaryIO) -> None:
    """Bring what was written of a file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def publish(part: Path, target: Path) -> None:
    """Give a complete file its name, and make the name durable."""
    part.replace(target)
    for folder in (target.parent, target.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file, if there is one and it can be deleted."""
    with suppress(OSError):
        path.unlink()


def folders(top: Path) -> list[Path]:
    """Return the subfolders of a folder, none if it cannot be read."""
    with suppress(OSError):
        return [path for path in top.iterdir() if path.is_dir() and not path.is_symlink()]
    return []


def old_files(folder: Path, before: float) -> list[Path]:
    """Return the files of a folder that were changed before, none if it cannot be read."""
    with suppress(OSError):
        return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < before]
    return []
