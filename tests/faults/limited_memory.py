"""Upgrades a SQLite file, wipes it and rewrites it, with memory for a part of it only: `limited_memory.py URL`."""

import resource
import sys
from pathlib import Path

from app.store import Store

MORE_BYTES = 128 * 1024 * 1024


def limit_memory() -> None:
    """Let this process have only so much more address space than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(url: str) -> None:
    store = Store(url, min_free_bytes=0, cooperative=False)
    store.open()
    limit_memory()
    store.upgrade_schema()
    while store.upkeep.wipe_free_pages():
        print("wiped some")
    store.rewrite_file()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
