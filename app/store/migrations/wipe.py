"""Wipes a SQLite file once of the content that older code has left in it.

A change of a receipt's state copies its body, and the pages of the old copy became free with their content. Now they
are overwritten with zeros. PostgreSQL vacuums by itself.
"""

import logging
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

WIPED = 1
"""SQLite's `user_version` of a file in whose free pages there is no content."""

MEGABYTE = 1024 * 1024


def mark_as_wiped(connection: Connection) -> None:
    """Record that there is nothing to wipe."""
    connection.exec_driver_sql(f"PRAGMA user_version = {WIPED}")


def wipe_once(engine: Engine, path: Path) -> None:
    """Rewrite the file without its free pages, unless this was done before.

    The caller holds the lock of the file, so that our processes write nothing meanwhile. Without enough space on the
    disk nothing is done, and the next start tries again. So it does when this process is killed.
    """
    pooled = engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        if driver.execute("PRAGMA user_version").fetchone()[0] >= WIPED:
            return
        if (reason := _lack_of_space(path)) is not None:
            log.warning("store.not_wiped", extra={"reason": reason})
            return
        log.info("store.wiping")
        _rewrite(driver, path.parent)
        driver.execute(f"PRAGMA user_version = {WIPED}")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        pooled.close()


def _lack_of_space(path: Path) -> str | None:
    """Return what is missing. While it is rewritten, the file is on the disk three times."""
    disk = os.statvfs(path.parent)
    needed, free = 2 * path.stat().st_size // MEGABYTE, disk.f_bavail * disk.f_frsize // MEGABYTE
    return None if free >= needed else f"{needed} MB must be free on the disk of the database, but {free} MB are"


def _rewrite(driver: Any, folder: Path) -> None:
    """Rewrite the whole file. The temporary copy is beside it: a folder in memory may be too small."""
    quoted = str(folder).replace("'", "''")
    driver.execute(f"PRAGMA temp_store_directory = '{quoted}'")
    driver.execute("VACUUM")
    driver.execute("PRAGMA temp_store_directory = ''")
