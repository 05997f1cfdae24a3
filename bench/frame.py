"""What the benchmarks share: options, the line about the machine, percentiles, and a rate beside its upper bound."""

import argparse
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.store.engine import sqlite

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Measured:
    """Requests or messages per second, and processor seconds for each, the generator's included."""

    per_second: float
    processor_seconds: float

    def beside(self, bound: "Measured") -> tuple[float, float]:
        """Return the ratio to the upper bound, of the rates and of the processor time."""
        return self.per_second / bound.per_second, bound.processor_seconds / self.processor_seconds


def percentile(values: Sequence[float], share: float, *, of: int = 0) -> float:
    """Return the value that this share of them does not exceed. There should be `of`: those that are missing, because
    they were refused or never came, exceed every value."""
    place = int(share * max(len(values), of))
    return sorted(values)[place] if place < len(values) else math.inf


def options_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that each benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS, help="kinds of databases")
    parser.add_argument("--folder", type=Path, help="where to put the databases (a real disk)")
    return parser


def describe_machine() -> str:
    """Return one line: processors, memory, kernel, versions, and the load that other processes cause."""
    load_averages = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {_processor()}, {gigabytes:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite.driver().sqlite_version}, load before {load_averages}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
