"""Measure the webhook endpoint beside an empty Flask route: same gunicorn settings, same requests, one run.

    python -m bench.ingest [--parts starts closed open batches] [--seconds 10] [--only sqlite] [--receipts 0]

Prints throughput, p50, p99, memory and the ratio to the empty route. `server` is the server's processor time per
webhook: other processes on the machine disturb it, and its ratio, less than they disturb throughput. `generator` is
the load generator's share of a core: near 1.0 the throughput is limited by the generator, not by the server.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import load, webhooks
from bench.databases import Databases, databases
from bench.frame import Measured, describe_machine, options_parser
from bench.goals import record
from bench.servers import Server, serving_command, serving_empty, serving_wats

PARTS = ("starts", "closed", "open", "batches")
EMPTY = "empty"
RATE = 4000
"""Webhooks per second that Meta demands for a number that sends 1000 messages per second."""
BATCH_RATE = 200
HEAD = (
    f"{'server':<11} {'receipts':>9} {'load':<34} {'per s':>6} {'p50 ms':>7} {'p99 ms':>7} {'not 200':>7} "
    f"{'server':>7} {'generator':>9} {'MB':>5} {'half way':>8} {'after':>5}"
)


@dataclass(frozen=True)
class Workload:
    """What to send, over how many connections, how long, and at which rate (None: as fast as answers come)."""

    name: str
    connections: int
    seconds: float
    batches: bool = False
    rate: int | None = None

    def __str__(self) -> str:
        loop = f"open {self.rate}/s" if self.rate else "closed"
        return f"{self.name}, {loop}, {self.connections} conns"

    def run_on(self, server: Server, seconds: float) -> load.Result:
        """Send to the server for this many seconds."""
        requests = webhooks.batches() if self.batches else webhooks.singles()
        return load.run(server.address, requests, connections=self.connections, seconds=seconds, rate=self.rate)


@dataclass(frozen=True)
class Bench:
    """The options, and the source of databases."""

    options: argparse.Namespace
    databases: Databases

    def run(self) -> None:
        """Measure every combination of the options."""
        print(describe_machine(), flush=True)
        if "starts" in self.options.parts:
            self.starts()
        print(HEAD, flush=True)
        for workload in self.workloads():
            self.compare(workload)

    def workloads(self) -> Iterator[Workload]:
        """Yield every workload of the options."""
        seconds, steady = self.options.seconds, self.options.steady_seconds
        for connections in self.options.connections:
            if "closed" in self.options.parts:
                yield Workload("singles", connections, seconds)
            if "batches" in self.options.parts:
                yield Workload("batches of 1000", connections, seconds, batches=True)
                yield Workload("batches of 1000", connections, seconds, batches=True, rate=BATCH_RATE)
        if "open" in self.options.parts:
            yield Workload("singles", max(self.options.connections), steady, rate=RATE)

    def starts(self) -> None:
        """Print the time from the command to the first 200 of `/readyz`, and the memory of each process."""
        for name, serving in (("gunicorn wsgi:app", serving_wats), ("flask wats serve", serving_command)):
            with serving(self.databases.environ("sqlite", 0)) as server:
                memory = ", ".join(f"{m.resident:.0f} ({m.share:.0f})" for m in server.memory_of_processes())
                print(f"{name}: ready after {server.start_seconds:.2f} s; resident MB (own share): {memory}")

    def compare(self, workload: Workload) -> None:
        """Measure a workload on every database, and on the empty route unless its rate is fixed."""
        empty = None if workload.rate else self.measure(EMPTY, 0, workload)
        for receipts in [0] if workload.batches else self.options.receipts:
            for kind in self.options.only:
                result = self.measure(kind, receipts, workload)
                if empty:
                    ratio, of_time = result.beside(empty)
                    if workload.name == "singles" and workload.connections == 64 and not receipts:
                        record("webhooks_ratio", kind, ratio)
                    print(f"{'':>21} ratio to the empty route: {ratio:.2f}; of processor time: {of_time:.2f}")

    def measure(self, kind: str, receipts: int, workload: Workload) -> Measured:
        """Warm up, then measure in two halves, so that memory is known half way too."""
        with self.running(kind, receipts) as server:
            workload.run_on(server, self.options.warm_seconds)
            memory, processor = [server.memory_megabytes()], server.processor_seconds()
            halves = []
            for _ in range(2):
                halves.append(workload.run_on(server, workload.seconds / 2))
                memory.append(server.memory_megabytes())
            result = load.joined(halves)
            per_webhook = (server.processor_seconds() - processor) / max(1, len(result.latencies))
        if workload.rate == RATE and not receipts:
            record("webhooks_p99", kind, result.percentile(0.99) * 1000)
        _print(f"{kind:<11} {receipts:>9} {workload!s:<34}", result, per_webhook, memory)
        return Measured(result.per_second, per_webhook + result.cpu / result.per_second)

    @contextmanager
    def running(self, kind: str, receipts: int) -> Iterator[Server]:
        """Run a server of this kind."""
        if kind == EMPTY:
            with serving_empty(self.databases.without_database()) as server:
                yield server
        else:
            with serving_wats(self.databases.environ(kind, receipts)) as server:
                yield server


def _print(head: str, result: load.Result, per_webhook: float, memory: list[float]) -> None:
    before, half_way, after = memory
    print(
        f"{head} {result.per_second:>6.0f} {result.percentile(0.5) * 1000:>7.1f} "
        f"{result.percentile(0.99) * 1000:>7.1f} {result.failed:>7} {per_webhook * 1e6:>4.0f} µs {result.cpu:>9.2f} "
        f"{before:>5.0f} {half_way:>8.0f} {after:>5.0f}",
        flush=True,
    )


def main() -> None:
    """Measure as the options say."""
    parser = options_parser(__doc__)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS, help="what to measure")
    parser.add_argument("--seconds", type=float, default=10, help="length of each run in closed loop")
    parser.add_argument("--steady-seconds", type=float, default=60, help="length of the run in open loop")
    parser.add_argument("--warm-seconds", type=float, default=2, help="warm-up before each run")
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256], help="numbers of connections")
    parser.add_argument(
        "--receipts", type=int, nargs="+", default=[0, 1_000_000], help="receipts already in the database"
    )
    options = parser.parse_args()
    with databases(options.folder) as prepared:
        Bench(options, prepared).run()


if __name__ == "__main__":
    main()
