"""Overwrites the gaps in the pages of a SQLite file, in small steps beside other writers.

A gap is the unallocated space of a b-tree page, between its cell pointers and its cells. When SQLite spreads rows
over neighbouring pages, the copy of a row that has moved may stay in a gap: `secure_delete` overwrites a row where it
is deleted, and no statement reaches a gap. So this writes zeros into the file itself, past SQLite:

- The bytes of a gap mean nothing to SQLite. A reader never looks at them; a write that is cut off harms nothing.
- Meanwhile no process changes the file: this one holds the lock of our writers and SQLite's own write lock, and all
  of the log is in the file, so that a checkpoint has nothing to copy.
- Each step commits on a connection of its own. All others then drop the pages that they keep in memory: they would
  write the old gap back.

Pages before `position` stay clean, although others write: the pages that were changed since the last step are in the
log, and are cleaned again. (A new copy may be in them, and SQLite may have given them the numbers of others.) If the
log was begun anew meanwhile, the first page is next. How far it is, the lock file says, so that any process can
take the next step; it is a hint only, and the salts of the log prove it.
"""

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from app.store.engine import sqlite
from app.store.engine.errors import StoreUnavailable
from app.store.engine.file_lock import FileLock
from app.store.engine.group_commit import native_lock
from app.store.engine.sqlite_files import DatabaseFileReplaced, copy_of, file_at, log_of
from app.store.engine.sqlite_marks import Mark, marks_of, set_marks
from app.store.engine.sqlite_pages import (
    MAX_PAGES,
    Log,
    gap_of,
    has_pointer_map,
    is_gap_clean,
    page_size_of,
    read_log,
)

STEP_PAGES = 4096
READ_PAGES = 256
FIRST = 2
"""The first page of the file holds the schema, and no content."""

_PROGRESS = struct.Struct(">q8s")


@dataclass(frozen=True)
class Progress:
    """All pages before `position` are clean, but for those in the log, if the log still has these salts."""

    position: int = 0
    salts: bytes = bytes(8)


@dataclass(frozen=True)
class UncleanPages:
    """The unclean pages that were found in the step after `progress`."""

    progress: Progress
    pages: frozenset[int]


class GapCleaner:
    """Cleans one file. `find` may run in any thread; `clean` runs under the lock, in the thread that writes."""

    def __init__(self, url: str, lock: FileLock, lock_seconds: float, *, step_pages: int = STEP_PAGES) -> None:
        self._url = url
        self._path = sqlite.path_of(url)
        self._lock = lock
        self._lock_seconds = lock_seconds
        self._step_pages = step_pages
        self._descriptor: int | None = None
        self._opening = native_lock()

    def find(self) -> UncleanPages:
        """Look for unclean pages where the next step begins. Others may write meanwhile: they leave it in the log."""
        progress = self._progress()
        begin = progress.position
        return UncleanPages(progress, self._unclean(begin, begin + self._step_pages) if begin else frozenset())

    def clean(self, found: UncleanPages, writer: Engine) -> int:
        """Clean what was found, and what changed meanwhile. Return the first page that the next step looks at.

        It stays where it was if a reader of an older state keeps the log out of the file.
        """
        position = found.progress.position
        if (progress := self._progress()) != found.progress:
            return progress.position  # another process was faster
        self._refuse_ambiguous_pages()
        log = read_log(log_of(self._path))
        is_log_empty = sqlite.truncate_wal(writer, lock_seconds=self._lock_seconds)
        engine = sqlite.writer_engine(self._url, lock_seconds=self._lock_seconds)
        try:
            with engine.begin() as connection:
                if not sqlite.is_log_in_file(writer):
                    return position
                position = self._clean(connection, found, log, is_log_empty=is_log_empty)
        finally:
            engine.dispose()
        salts = read_log(log_of(self._path)).salts or bytes(8)
        self._lock.write_note(_PROGRESS.pack(position, salts))
        return position

    def close(self) -> None:
        """Close the file. Only after all connections: the process then loses its locks on it (POSIX)."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _clean(self, connection: Connection, found: UncleanPages, log: Log, *, is_log_empty: bool) -> int:
        """Write zeros, then commit with a change of the first page, which is what others notice."""
        count = self._count_pages()
        begin, end, pages = self._plan(connection, found, log, count)
        self._write_zeros(pages)
        if end > count and not is_log_empty:  # the last step is repeated: the log must be gone too
            end = begin
        if end > count:
            copy_of(self._path).unlink(missing_ok=True)
        set_marks(connection, marks_of(connection) | (Mark.GAPS_CLEAN if end > count else Mark(0)))
        return end

    def _plan(
        self, connection: Connection, found: UncleanPages, log: Log, count: int
    ) -> tuple[int, int, Iterable[int]]:
        """Return the first page of this step, the one after its last, and the pages to be cleaned."""
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
            return FIRST, count + 1, self._unclean(FIRST, count + 1)  # no log says what has changed since
        if log.salts != found.progress.salts or not found.progress.position:
            return FIRST, FIRST, ()
        begin, end = found.progress.position, found.progress.position + self._step_pages
        return begin, end, found.pages | {page for page in log.pages if FIRST <= page < end}

    def _progress(self) -> Progress:
        note = self._lock.read_note(_PROGRESS.size)
        return Progress(*_PROGRESS.unpack(note)) if len(note) == _PROGRESS.size else Progress()

    def _refuse_ambiguous_pages(self) -> None:
        """Raise `StoreUnavailable` unless the first byte of each page says what it is."""
        if has_pointer_map(self._file()) or self._count_pages() >= MAX_PAGES:
            raise StoreUnavailable(
                "this SQLite file has auto_vacuum, or more than 33 million pages: remove what is left of deleted rows"
                " in it by `flask wats db rewrite`"
            )

    def _unclean(self, begin: int, end: int) -> frozenset[int]:
        file = self._file()
        size = page_size_of(file)
        found: set[int] = set()
        for first in range(begin, min(end, self._count_pages() + 1), READ_PAGES):
            content = os.pread(file, size * min(READ_PAGES, end - first), size * (first - 1))
            pages = (content[at : at + size] for at in range(0, len(content), size))
            found |= {number for number, page in enumerate(pages, first) if not is_gap_clean(page)}
        return frozenset(found)

    def _write_zeros(self, pages: Iterable[int]) -> None:
        file = self._file()
        size = page_size_of(file)
        for number in pages:
            at = size * (number - 1)
            page = os.pread(file, size, at)
            if page and not is_gap_clean(page):
                begin, end = gap_of(page)
                os.pwrite(file, bytes(end - begin), at + begin)
        os.fsync(file)

    def _count_pages(self) -> int:
        return os.fstat(self._file()).st_size // page_size_of(self._file())

    def _file(self) -> int:
        """Return the open file. It stays open: closing it would take away the locks of SQLite in this process."""
        with self._opening:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        opened = os.fstat(self._descriptor)
        if (opened.st_dev, opened.st_ino) != file_at(self._path):
            raise DatabaseFileReplaced
        return self._descriptor
