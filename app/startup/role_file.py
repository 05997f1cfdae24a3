"""Tells the health check which roles run in this container: each keeps a small file in the folder WATS_RUN_DIR.

deploy/healthcheck.py reads these files and imports nothing of the gateway. Without the variable no file is written.
"""

import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from app.log import Throttle

log = logging.getLogger(__name__)

PRIVATE_FOLDER = 0o700


class RoleFile:
    """The file of one role. If it cannot be written, that is logged, and only the health check fails."""

    def __init__(self, folder: Path | None, role: Literal["web", "worker"]) -> None:
        self._path = None if folder is None else folder / f"{role}.json"
        self._failures = Throttle()

    def record_addresses(self, addresses: Sequence[Any]) -> None:
        """Record where this role listens. An address is what `getsockname` returns."""
        self._write({"addresses": addresses})

    def record_beat(self) -> None:
        """Record that this role works, with the time of a clock that all processes of a machine share."""
        self._write({"beatAt": time.monotonic()})

    def remove(self) -> None:
        """Remove the file, unless another process has taken the role over."""
        try:
            if self._path is not None and json.loads(self._path.read_bytes())["pid"] == os.getpid():
                self._path.unlink()
        except (OSError, ValueError, KeyError, TypeError):
            return

    def _write(self, facts: dict[str, Any]) -> None:
        """Write the file anew. The next beat tries again what fails, because a disk may be full for a moment only."""
        if self._path is None:
            return
        try:
            _replace(self._path, json.dumps({"pid": os.getpid(), **facts}))
        except OSError as error:
            repeats = self._failures.repeats(error.errno)
            if repeats is not None:
                log.warning("role_file.not_written", extra={"reason": error.strerror, "repeats": repeats or None})


def _replace(path: Path, content: str) -> None:
    """Replace the file, so that a reader sees the old content or the new one. Make its folder if that is missing."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(content)
    except FileNotFoundError:
        path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        unfinished.write_text(content)
    unfinished.replace(path)
