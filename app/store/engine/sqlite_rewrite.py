"""Rewrites a SQLite file in place, so that it holds what is stored and no byte of anything else.

When SQLite moves rows between pages, a copy may stay in the unused middle of a page: `secure_delete` does not see it.
A new file has no such places. VACUUM alone would be simpler, but it makes its copy in memory (the bundled library is
built with `SQLITE_TEMP_STORE=3`). Here the copy is a file, and comes back in one transaction: a power cut undoes it.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

from app.store.engine import sqlite
from app.store.engine.errors import StoreUnavailable, translating_errors
from app.store.engine.file_lock import FileLock
from app.store.engine.sqlite_files import copy_of, make_private
from app.store.engine.sqlite_marks import ALL
from app.store.engine.write import Failpoint

MEGABYTE = 1024 * 1024
STEP_PAGES = 1000
CACHE_KIBIBYTES = 8 * 1024
"""How much memory each of the two copies may take."""


def rewrite_file(url: str, lock_seconds: float, on_failpoint: Failpoint) -> None:
    """Rewrite the file under its lock, so that no process writes meanwhile; readers go on.

    Raise `StoreUnavailable`, and change nothing, without room for two copies: one beside it, and one in its log.
    """
    path = sqlite.path_of(url)
    lock, engine = FileLock(path), sqlite.writer_engine(url, lock_seconds=lock_seconds)
    try:
        with translating_errors(), lock.held(), closing(engine.raw_connection()) as pooled:
            _refuse_small_disk(path)
            _rewrite(pooled.driver_connection, copy_of(path), on_failpoint)
    finally:
        engine.dispose()
        lock.close()


def _refuse_small_disk(path: Path) -> None:
    disk = os.statvfs(path.parent)
    needed, free = 2 * path.stat().st_size // MEGABYTE, disk.f_bavail * disk.f_frsize // MEGABYTE
    if free < needed:
        raise StoreUnavailable(f"{needed} MB must be free on the disk of the database, but {free} MB are")


def _rewrite(driver: Any, copy: Path, on_failpoint: Failpoint) -> None:
    copy.unlink(missing_ok=True)  # of a rewriting that was killed
    make_private(copy)
    driver.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
    try:
        driver.execute("VACUUM INTO ?", [str(copy)])
        with closing(sqlite.driver().connect(copy)) as source:
            source.backup(driver, pages=STEP_PAGES, progress=lambda *_: on_failpoint("in_rewriting"))
        driver.execute(f"PRAGMA user_version = {ALL.value}")
        _empty_log(driver)
    finally:
        copy.unlink(missing_ok=True)


def _empty_log(driver: Any) -> None:
    """Bring the new pages from the log into the file. It waits for readers of the old ones, with a limit."""
    is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise StoreUnavailable("a reader still uses the file as it was before it was rewritten; run this again")
