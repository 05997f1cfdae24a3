"""Limits processes to a share of a processor each, by Linux control groups. Needs their root: a superuser, mostly.

So a machine of two processors shows what more of slower ones would do: two processes that may use 0.3 of a processor
each are two processors of 0.3, whatever the rest of the machine does.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 10_000
"""Microseconds. A process that has used its share rests until the next period: a short one hardly delays a job."""


def cannot_limit() -> str:
    """Return why this process cannot make control groups, or nothing."""
    if os.access(_parent(), os.W_OK):
        return ""
    return (
        f"not measured: {_parent()} cannot be written. Run it as root, on a machine whose control groups are its own."
    )


@contextmanager
def limited(pids: Sequence[int], share: float) -> Iterator[None]:
    """Let each process, and what it forks from now on, use at most this share of a processor until the block ends."""
    groups = [_group(pid, share) for pid in pids]
    try:
        yield
    finally:
        for group in groups:
            _empty(group)
            group.rmdir()


def _group(pid: int, share: float) -> Path:
    """Put a process in a control group of its own."""
    group = _parent() / f"wats-bench-{os.getpid()}-{pid}"
    group.mkdir()
    quota = round(share * PERIOD)
    if _is_old(group):
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (group / "cpu.max").write_text(f"{quota} {PERIOD}")
    (group / "cgroup.procs").write_text(str(pid))
    return group


def _parent() -> Path:
    """Return the folder of the groups: the kernel's old interface has one for each resource."""
    return ROOT / "cpu" if (ROOT / "cpu").exists() else ROOT


def _is_old(group: Path) -> bool:
    return group.parent != ROOT


def _empty(group: Path) -> None:
    """Send what is left in a group back to its parent: only an empty one can be deleted."""
    for pid in (group / "cgroup.procs").read_text().split():
        (group.parent / "cgroup.procs").write_text(pid)
