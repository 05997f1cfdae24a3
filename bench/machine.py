"""What the figures were measured on: they mean little without."""

import os
import platform
from pathlib import Path

from app.store.engine import sqlite


def describe() -> str:
    """One line: processors, memory, kernel, versions, and how busy others keep the machine."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {_processor()}, {gigabytes:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite.driver().sqlite_version}, load before {busy}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
