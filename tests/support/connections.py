"""The connections that processes of a gateway hold, as the kernel knows them."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.serving import Running


def connections_by_process(running: Running, processes: Sequence[int]) -> dict[int, int]:
    """Return the number of clients' connections that each process has accepted.

    `/proc/net/tcp` lists the sockets of the port by inode, and `/proc/PID/fd` says which process holds them.
    """
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = {f"socket:[{row[9]}]" for row in rows if int(row[1].partition(":")[2], 16) == running.port}
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    return {process: len(_sockets_of(process) & ours - listening) for process in processes}


def _sockets_of(process: int) -> set[str]:
    names = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                names.add(descriptor.readlink().name)
    return names
