"""Counts the memory that processes hold together, each page once, even if others use it too. Linux, as root.

Proportional memory (PSS) divides a page among all processes that use it, the benchmark's own and strangers
included: on a machine with many processes of the same Python a gateway seems smaller than it is on one of its own.
"""

import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PRESENT, NUMBER = 1 << 63, (1 << 55) - 1
"""Of an entry of `/proc/PID/pagemap`: the page is in memory, and its number there (0 unless a superuser reads it)."""


def unique_megabytes(pids: Iterable[int]) -> float:
    """Return the megabytes of all pages in memory that one of these processes uses; 0 if it may not be known."""
    pages = {page for pid in pids for page in _pages(pid)}
    return len(pages) * PAGE_BYTES / 2**20


def _pages(pid: int) -> Iterator[int]:
    with suppress(OSError), Path(f"/proc/{pid}/pagemap").open("rb", buffering=0) as pagemap:
        for start, end in _mapped(pid):
            pagemap.seek(start // PAGE_BYTES * 8)
            entries = array("Q", pagemap.read((end - start) // PAGE_BYTES * 8))
            yield from (entry & NUMBER for entry in entries if entry & PRESENT and entry & NUMBER)


def _mapped(pid: int) -> Iterator[tuple[int, int]]:
    """Yield the addresses of each mapping, but for those of the kernel."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, *_, name = line.split()
        if not name.startswith("[v"):
            start, _, end = addresses.partition("-")
            yield int(start, 16), int(end, 16)
