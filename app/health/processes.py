"""The processes of this gateway on this machine, as Linux knows them; elsewhere none."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
NAME = "wats"
"""The prefix of the names of the gateway's processes: `wats`, `wats-web`, `wats-worker`."""

TICKS, PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class ProcessUse:
    """The CPU time, memory and descriptors of one process. `cpu_seconds`: since it started."""

    name: str
    resident_bytes: int
    cpu_seconds: float
    open_descriptors: int


def processes_of_gateway() -> list[ProcessUse]:
    """Return what each process of this gateway uses: this one, and those that were started with it."""
    return [use for pid in _family(_first_of_gateway(os.getpid())) if (use := _use_of(pid)) is not None]


def _first_of_gateway(pid: int) -> int:
    """Return the topmost ancestor that belongs to the gateway, or this process itself."""
    parent = _parent_of(pid)
    while parent is not None and (_name_of(parent) or "").startswith(NAME):
        pid, parent = parent, _parent_of(parent)
    return pid


def _family(pid: int) -> Iterator[int]:
    """Yield the id of a process and those of all its descendants."""
    yield pid
    with suppress(OSError):
        for child in (PROC / str(pid) / "task" / str(pid) / "children").read_text().split():
            yield from _family(int(child))


def _use_of(pid: int) -> ProcessUse | None:
    folder = PROC / str(pid)
    try:
        fields = _fields_of(pid)
        resident = int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
    except OSError:  # it has just ended, or there is no /proc
        return None
    return ProcessUse(_name_of(pid) or "", resident, (int(fields[11]) + int(fields[12])) / TICKS, descriptors)


def _parent_of(pid: int) -> int | None:
    with suppress(OSError):
        return int(_fields_of(pid)[1])
    return None


def _name_of(pid: int) -> str | None:
    with suppress(OSError):
        return (PROC / str(pid) / "comm").read_text().strip()
    return None


def _fields_of(pid: int) -> list[str]:
    """Return the fields of `stat` after the name, which may hold blanks and brackets: state, parent, …"""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
