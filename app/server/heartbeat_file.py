"""The file whose time shows gunicorn's master that a web process is alive: in memory, and in no file system.

gunicorn makes it in a folder. If that is full, read-only or gone, no web process can be started any more, and the
master ends.
"""

import os
from typing import Any

from gunicorn.workers.workertmp import WorkerTmp


class HeartbeatFile(WorkerTmp):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's file of a web process, without a folder where the system can do that (Linux)."""

    def __init__(self, cfg: Any) -> None:
        if not hasattr(os, "memfd_create"):
            super().__init__(cfg)
            return
        descriptor = os.memfd_create("wats-heartbeat")
        if (cfg.uid, cfg.gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, cfg.uid, cfg.gid)
        self._tmp = os.fdopen(descriptor, "w+b", 0)
