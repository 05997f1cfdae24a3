"""Reads the pages of a SQLite file and the frames of its log as bytes (https://sqlite.org/fileformat2.html)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER_BYTES = {2: 12, 5: 12, 10: 8, 13: 8}
"""The length of a b-tree page's header, by the page's first byte. Pages of other kinds begin with other bytes."""

MAX_PAGES = 2 << 24
"""The limit for that rule. An overflow page begins with the 4 bytes of a page number: in a larger file with a 2."""

LARGEST_PAGE = 65536
LOG_HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24


@dataclass(frozen=True)
class Log:
    """The write-ahead log: the numbers of its pages, and its salts, which change when SQLite restarts the log."""

    salts: bytes = b""
    pages: frozenset[int] = frozenset()


def gap_of(page: bytes) -> tuple[int, int]:
    """Return where a page's gap, between cell pointers and cells, begins and ends. Without a gap both are 0."""
    header = HEADER_BYTES.get(page[0])
    if header is None:
        return 0, 0
    begin = header + 2 * int.from_bytes(page[3:5])
    end = int.from_bytes(page[5:7]) or LARGEST_PAGE
    return (begin, end) if begin <= end <= len(page) else (0, 0)


def is_gap_clean(page: bytes) -> bool:
    """Return whether the gap of a page holds only zeros. A page without a gap is clean too."""
    begin, end = gap_of(page)
    return page.count(0, begin, end) == end - begin


def page_size_of(descriptor: int) -> int:
    """Return the size of the pages of a database file."""
    size = int.from_bytes(os.pread(descriptor, 2, 16))
    return LARGEST_PAGE if size == 1 else size


def has_pointer_map(descriptor: int) -> bool:
    """Return whether the file has pointer-map pages (`auto_vacuum`), which may begin like b-tree pages."""
    return any(os.pread(descriptor, 4, 52))


def read_log(path: Path) -> Log:
    """Return the log at this path, without frames from before its last restart; an empty log if there is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Log()
    try:
        header = os.pread(descriptor, LOG_HEADER_BYTES, 0)
        if len(header) < LOG_HEADER_BYTES:
            return Log()
        salts, page_size = header[16:24], int.from_bytes(header[8:12])
        return Log(salts, frozenset(_pages(descriptor, salts, page_size)))
    finally:
        os.close(descriptor)


def _pages(descriptor: int, salts: bytes, page_size: int) -> Iterator[int]:
    end = os.fstat(descriptor).st_size
    for at in range(LOG_HEADER_BYTES, end, FRAME_HEADER_BYTES + page_size):
        frame = os.pread(descriptor, FRAME_HEADER_BYTES, at)
        if frame[8:16] != salts:
            return
        yield int.from_bytes(frame[:4])
