"""The webhook door against an empty Flask route: same gunicorn settings, same requests, one run, side by side.

    python -m bench.ingest [--seconds 10] [--connections 64 256] [--receipts 0 1000000] [--only sqlite]

Prints throughput, p50, p99, memory and the ratio to the empty route. `generator` is the load generator's own
share of a core: where it comes near 1.0, the figure beside it is the generator's limit and not the server's.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import load, webhooks
from bench.databases import Databases, databases
from bench.servers import Server, serving_command, serving_empty, serving_wats

KINDS = ("sqlite", "postgresql")
EMPTY = "empty"
RATE = 4000
"""Webhooks a second that Meta asks for, for a number that sends 1000 messages a second."""
HEAD = (
    f"{'server':<11} {'receipts':>9} {'load':<24} {'per s':>7} {'p50 ms':>7} {'p99 ms':>7} "
    f"{'not 200':>7} {'generator':>9} {'MB before':>9} {'after':>5}"
)


@dataclass(frozen=True)
class Bench:
    """What was asked for, and where the databases come from."""

    asked: argparse.Namespace
    databases: Databases

    def run(self) -> None:
        """Measure every combination."""
        self.starts()
        print(HEAD)
        for connections in self.asked.connections:
            self.closed_loop(connections)
        for kind in self.asked.only:
            self.open_loop(kind)
        self.batches()

    def starts(self) -> None:
        """From the command to the first 200 of `/readyz`, and the memory of each process."""
        for name, serving in (("gunicorn wsgi:app", serving_wats), ("flask wats serve", serving_command)):
            with serving(self.databases.environ("sqlite", 0)) as server:
                each = ", ".join(f"{megabytes:.0f}" for _, megabytes in server.memory_of_processes())
                print(f"{name}: ready after {server.start_seconds:.2f} s; MB of its processes: {each}")

    def closed_loop(self, connections: int) -> None:
        """As fast as answers come."""
        load_name = f"closed, {connections} conns"
        with self.running(EMPTY, 0) as server:
            empty = self.measure(EMPTY, 0, load_name, server, connections)
        for receipts in self.asked.receipts:
            for kind in self.asked.only:
                with self.running(kind, receipts) as server:
                    measured = self.measure(kind, receipts, load_name, server, connections)
                print(f"{'':>21} ratio to the empty route: {measured / empty:.2f}", flush=True)

    def open_loop(self, kind: str) -> None:
        """At Meta's rate, whatever the server does."""
        for receipts in self.asked.receipts:
            with self.running(kind, receipts) as server:
                load.run(server.address, webhooks.singles(0), connections=256, seconds=2)
                before = server.memory_megabytes()
                result = load.run(
                    server.address,
                    webhooks.singles(),
                    connections=256,
                    seconds=self.asked.steady_seconds,
                    rate=RATE,
                )
                _print(kind, receipts, f"open, {RATE}/s, 256 conns", result, before, server)

    def batches(self) -> None:
        """Webhooks of a thousand updates, about 200 KB each."""
        for kind in (EMPTY, *self.asked.only):
            with self.running(kind, 0) as server:
                before = server.memory_megabytes()
                result = load.run(server.address, webhooks.batches(), connections=64, seconds=self.asked.seconds)
                _print(kind, 0, "closed, batches of 1000", result, before, server)

    def measure(self, kind: str, receipts: int, name: str, server: Server, connections: int) -> float:
        """Warm up, then measure; webhooks a second."""
        load.run(server.address, webhooks.singles(0), connections=connections, seconds=2)
        before = server.memory_megabytes()
        result = load.run(server.address, webhooks.singles(), connections=connections, seconds=self.asked.seconds)
        _print(kind, receipts, name, result, before, server)
        return result.per_second

    @contextmanager
    def running(self, kind: str, receipts: int) -> Iterator[Server]:
        """A server of this kind."""
        if kind == EMPTY:
            with serving_empty(self.databases.without_database()) as server:
                yield server
        else:
            with serving_wats(self.databases.environ(kind, receipts)) as server:
                yield server


def _print(kind: str, receipts: int, name: str, result: load.Result, before: float, server: Server) -> None:
    refused = sum(count for status, count in result.statuses.items() if status != 200)
    print(
        f"{kind:<11} {receipts:>9} {name:<24} {result.per_second:>7.0f} {result.percentile(0.5) * 1000:>7.1f} "
        f"{result.percentile(0.99) * 1000:>7.1f} {refused:>7} {result.cpu:>9.2f} {before:>9.0f} "
        f"{server.memory_megabytes():>5.0f}",
        flush=True,
    )


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--steady-seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--receipts", type=int, nargs="+", default=[0, 1_000_000], help="already in the table")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS, help="kinds of databases")
    parser.add_argument("--folder", type=Path, help="where to put the databases (a real disk)")
    asked = parser.parse_args()
    with databases(asked.folder) as made:
        Bench(asked, made).run()


if __name__ == "__main__":
    main()
