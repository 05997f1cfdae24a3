"""A private mount namespace: a process that has a `/dev/shm` of its own, full, read-only or missing."""

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

UNSHARE = ("unshare", "--mount", "--propagation", "private")
SMALL = "mount -t tmpfs -o size=1m none /dev/shm"
FULL = f"{SMALL} && {{ cat /dev/zero > /dev/shm/filler 2> /dev/null || true; }}"
READ_ONLY = "mount -t tmpfs -o ro,size=1m none /dev/shm"
ABSENT = (
    'device=$(mktemp -d) && mount -t tmpfs none "$device"'
    ' && for name in null zero full random urandom; do touch "$device/$name";'
    ' mount --bind "/dev/$name" "$device/$name"; done'
    ' && mount --rbind "$device" /dev && rmdir "$device" 2> /dev/null; test ! -e /dev/shm'
)


def with_mounts(setup: str, command: Sequence[str]) -> tuple[str, ...]:
    """Return a command that runs this one after the mounts, in the same process. Skip the test if none is allowed."""
    if not _may_mount():
        pytest.skip("no mount namespace of its own (`unshare --mount`): needs root and CAP_SYS_ADMIN")
    return (*UNSHARE, "sh", "-c", f'{setup} && exec "$@"', "sh", *command)


def inside(pid: int, path: str) -> Path:
    """Return a path as this process sees it."""
    return Path(f"/proc/{pid}/root{path}")


@functools.cache
def _may_mount() -> bool:
    try:
        tried = subprocess.run([*UNSHARE, "sh", "-c", SMALL], capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return tried.returncode == 0
