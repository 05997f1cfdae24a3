"""A fast destination in a process of its own, and the events that came to it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from bench.servers import ROOT


@dataclass
class Destination:
    """The process of a destination."""

    process: subprocess.Popen[str]

    def report(self) -> dict[str, list[float]]:
        """Return the arrivals since the last call, as bench.destination prints them."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        report: dict[str, list[float]] = json.loads(self.process.stdout.readline())
        return report


@dataclass
class Arrivals:
    """All events that came to a destination, added up while they come."""

    destination: Destination
    times: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    def wait_for(self, events: int, *, idle_seconds: float = 30) -> None:
        """Wait for this many events; give up when none has come for `idle_seconds`."""
        last = time.monotonic()
        while len(self.times) < events and time.monotonic() - last < idle_seconds:
            time.sleep(0.25)
            report = self.destination.report()
            self.times += report["times"]
            self.lags += report["lags"]
            last = time.monotonic() if report["times"] else last


def fast_destination(port: int) -> AbstractContextManager[Destination]:
    """Run a destination that answers at once."""
    return listening("bench.destination", port)


@contextmanager
def listening(module: str, port: int) -> Iterator[Destination]:
    """Run a module that takes POSTs on this port and reports them as `bench.destination` does."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield Destination(process)
    finally:
        process.kill()
        process.wait()
