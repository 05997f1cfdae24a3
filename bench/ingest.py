"""The webhook door against an empty Flask route: same gunicorn settings, same requests, one run, side by side.

    python -m bench.ingest [--parts starts closed open batches] [--seconds 10] [--only sqlite] [--receipts 0]

Prints throughput, p50, p99, memory and the ratio to the empty route. `server` is the processor time that the server
takes for a webhook; what else runs on the machine disturbs it, and the ratio made of it, less than throughput.
`generator` is the load generator's share of a core: near 1.0 the figure beside it would be the generator's limit.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import load, webhooks
from bench.databases import Databases, databases
from bench.machine import describe
from bench.servers import Server, serving_command, serving_empty, serving_wats

KINDS = ("sqlite", "postgresql")
PARTS = ("starts", "closed", "open", "batches")
EMPTY = "empty"
RATE = 4000
"""Webhooks a second that Meta asks for, for a number that sends 1000 messages a second."""
BATCH_RATE = 200
HEAD = (
    f"{'server':<11} {'receipts':>9} {'load':<34} {'per s':>6} {'p50 ms':>7} {'p99 ms':>7} {'not 200':>7} "
    f"{'server':>7} {'generator':>9} {'MB':>5} {'half way':>8} {'after':>5}"
)


@dataclass(frozen=True)
class Load:
    """One kind of load: what is sent, over how many connections, how long, and at which rate if it has one."""

    name: str
    connections: int
    seconds: float
    batches: bool = False
    rate: int | None = None

    def __str__(self) -> str:
        loop = f"open {self.rate}/s" if self.rate else "closed"
        return f"{self.name}, {loop}, {self.connections} conns"

    def put_on(self, server: Server, seconds: float) -> load.Result:
        """Send for so many seconds."""
        requests = webhooks.batches() if self.batches else webhooks.singles()
        return load.run(server.address, requests, connections=self.connections, seconds=seconds, rate=self.rate)


@dataclass(frozen=True)
class Seen:
    """Webhooks a second, and the processor time of each, the generator's included."""

    per_second: float
    each: float


@dataclass(frozen=True)
class Bench:
    """What was asked for, and where the databases come from."""

    asked: argparse.Namespace
    databases: Databases

    def run(self) -> None:
        """Measure every combination."""
        print(describe(), flush=True)
        if "starts" in self.asked.parts:
            self.starts()
        print(HEAD, flush=True)
        for measured in self.loads():
            self.compare(measured)

    def loads(self) -> Iterator[Load]:
        """Every load that was asked for."""
        seconds, steady = self.asked.seconds, self.asked.steady_seconds
        for connections in self.asked.connections:
            if "closed" in self.asked.parts:
                yield Load("singles", connections, seconds)
            if "batches" in self.asked.parts:
                yield Load("batches of 1000", connections, seconds, batches=True)
                yield Load("batches of 1000", connections, seconds, batches=True, rate=BATCH_RATE)
        if "open" in self.asked.parts:
            yield Load("singles", max(self.asked.connections), steady, rate=RATE)

    def starts(self) -> None:
        """From the command to the first 200 of `/readyz`, and the memory of each process."""
        for name, serving in (("gunicorn wsgi:app", serving_wats), ("flask wats serve", serving_command)):
            with serving(self.databases.environ("sqlite", 0)) as server:
                each = ", ".join(f"{m.resident:.0f} ({m.share:.0f})" for m in server.memory_of_processes())
                print(f"{name}: ready after {server.start_seconds:.2f} s; resident MB (own share): {each}")

    def compare(self, measured: Load) -> None:
        """A load on the empty route, unless it has a rate of its own, and on every database."""
        empty = None if measured.rate else self.measure(EMPTY, 0, measured)
        for receipts in [0] if measured.batches else self.asked.receipts:
            for kind in self.asked.only:
                result = self.measure(kind, receipts, measured)
                if empty:
                    ratio, undisturbed = result.per_second / empty.per_second, empty.each / result.each
                    print(f"{'':>21} ratio to the empty route: {ratio:.2f}; of processor time: {undisturbed:.2f}")

    def measure(self, kind: str, receipts: int, measured: Load) -> Seen:
        """Warm up, then measure in two halves, so that memory is seen on its way."""
        with self.running(kind, receipts) as server:
            measured.put_on(server, self.asked.warm_seconds)
            memory, processor = [server.memory_megabytes()], server.processor_seconds()
            halves = []
            for _ in range(2):
                halves.append(measured.put_on(server, measured.seconds / 2))
                memory.append(server.memory_megabytes())
            result = load.joined(halves)
            each = (server.processor_seconds() - processor) / max(1, len(result.latencies))
        _print(f"{kind:<11} {receipts:>9} {measured!s:<34}", result, each, memory)
        return Seen(result.per_second, each + result.cpu / result.per_second)

    @contextmanager
    def running(self, kind: str, receipts: int) -> Iterator[Server]:
        """A server of this kind."""
        if kind == EMPTY:
            with serving_empty(self.databases.without_database()) as server:
                yield server
        else:
            with serving_wats(self.databases.environ(kind, receipts)) as server:
                yield server


def _print(what: str, result: load.Result, each: float, memory: list[float]) -> None:
    refused = sum(count for status, count in result.statuses.items() if status != 200)
    before, half_way, after = memory
    print(
        f"{what} {result.per_second:>6.0f} {result.percentile(0.5) * 1000:>7.1f} "
        f"{result.percentile(0.99) * 1000:>7.1f} {refused:>7} {each * 1e6:>4.0f} µs {result.cpu:>9.2f} "
        f"{before:>5.0f} {half_way:>8.0f} {after:>5.0f}",
        flush=True,
    )


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--steady-seconds", type=float, default=60)
    parser.add_argument("--warm-seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--receipts", type=int, nargs="+", default=[0, 1_000_000], help="already in the table")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS, help="kinds of databases")
    parser.add_argument("--folder", type=Path, help="where to put the databases (a real disk)")
    asked = parser.parse_args()
    with databases(asked.folder) as made:
        Bench(asked, made).run()


if __name__ == "__main__":
    main()
