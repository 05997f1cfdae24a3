"""Measure what the gateway costs before it does anything, and what a machine can carry. Linux only.

    python -m bench.lean [--parts starts memory carry] [--seconds 10] [--processes 1 2 4 8] [--only sqlite postgresql]

Processor time and proportional memory (PSS), not wall time: other processes on the machine disturb them little. The
processor time of a start is that of every process until `/readyz` is 200, those that have ended included. The
bytecode of the gateway's code is written first: without it a start takes 0.4 s more, and the gateway 6 to 10 MB.
"""

import compileall
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import load
from bench.arrivals import Arrivals, fast_destination
from bench.databases import Databases, databases
from bench.deliver import CONFIG
from bench.frame import describe_machine, options_parser
from bench.goals import record
from bench.new_messages import webhooks
from bench.servers import BIN, ROOT, Server, free_port, serving_command, serving_wats
from bench.unique_pages import unique_megabytes

PARTS = ("starts", "memory", "carry")
SUPERVISOR, WEB, WORKER = "wats", "wats-web", "wats-worker"
CONNECTIONS = 64
SAMPLE_SECONDS = 0.5
STARTS = 3
MACHINES = (256, 512, 1024)
RESERVE_SHARE = 0.2
"""What is left for the kernel, the page cache and bursts."""


@dataclass
class Peak:
    """The highest proportional memory of the whole gateway while the block of `watched` runs, process by process."""

    processes: list[tuple[str, float]] = field(default_factory=list)

    @property
    def total(self) -> float:
        return sum(megabytes for _, megabytes in self.processes)

    def take(self, server: Server) -> None:
        """Keep the server's memory if it is more than before."""
        now = server.memory_by_name()
        if sum(megabytes for _, megabytes in now) > self.total:
            self.processes = now

    def __str__(self) -> str:
        return ", ".join(f"{name} {megabytes:.1f}" for name, megabytes in self.processes)


@contextmanager
def watched(server: Server) -> Iterator[Peak]:
    """Yield the peak, which grows while the block runs."""
    peak, stop = Peak(), threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            peak.take(server)

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        stop.set()
        sampler.join()


@dataclass(frozen=True)
class Carried:
    """Megabytes of the whole gateway, and what a whole core does a second.

    `alone`: the megabytes while it is idle, none of them divided among other processes; 0 if they are not known.
    """

    idle: Peak
    alone: float
    loaded: Peak
    webhooks_per_core: float
    deliveries_per_core: float


def starts(kind: str, prepared: Databases) -> None:
    """Print the processor seconds of a start and of `status`, and record the highest of them."""
    at_head = prepared.environ(kind, 0)
    environ = {**os.environ, **at_head}
    spent: dict[str, list[float]] = {"serve_seconds": [], "status_seconds": []}
    for _ in range(STARTS):
        with serving_command(at_head) as server:
            address = {"WATS_PORT": str(server.address[1])}
            status = _seconds_of("status", environ | address)
        with serving_wats(at_head) as alone:
            print(
                f"processor seconds until ready: serve {server.spent_seconds:.2f}, gunicorn alone "
                f"{alone.spent_seconds:.2f}; of status {status:.2f}",
                flush=True,
            )
        spent["serve_seconds"].append(server.spent_seconds)
        spent["status_seconds"].append(status)
    for figure, seconds in spent.items():
        record(figure, kind, max(seconds))
    with serving_command(prepared.new(kind)) as server:
        print(f"processor seconds until ready: serve, a new database {server.spent_seconds:.2f}", flush=True)


def _seconds_of(command: str, environ: Mapping[str, str]) -> float:
    """Run `flask wats COMMAND`; return its processor time."""
    process = subprocess.Popen([BIN / "flask", "wats", command], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} did less than it does for a service that is well"
    return used.ru_utime + used.ru_stime


def carry(environ: Mapping[str, str], processes: int, seconds: float) -> Carried:
    """Send webhooks for this many seconds, all of which are delivered, to a gateway with this many web processes."""
    port = free_port()
    config = Path(environ["WATS_DATA_DIR"]) / "lean.yaml"
    config.write_text(CONFIG.format(port=port))
    start = {**environ, "WATS_CONFIG": str(config), "WEB_CONCURRENCY": str(processes)}
    with fast_destination(port) as destination, serving_command(start) as server:
        load.run(server.address, webhooks(), connections=1, seconds=1)
        idle = Peak()
        idle.take(server)
        alone = unique_megabytes(server.names_by_pid())
        before, arrivals = server.seconds_by_name(), Arrivals(destination)
        with watched(server) as loaded:
            result = load.run(server.address, webhooks(), connections=CONNECTIONS, seconds=seconds)
            after_webhooks = server.seconds_by_name()
            arrivals.wait_for(len(result.latencies))
        after = server.seconds_by_name()
    return Carried(
        idle,
        alone,
        loaded,
        webhooks_per_core=len(result.latencies) / (after_webhooks[WEB] - before[WEB]),
        deliveries_per_core=len(arrivals.times) / (after[WORKER] - before[WORKER]),
    )


def print_memory(kind: str, carried: Carried) -> None:
    """Print and record the memory of each process and of all."""
    print(f"idle {carried.idle.total:.1f} MB: {carried.idle}")
    if carried.alone:
        print(f"idle, nothing of it divided among other processes of this machine: {carried.alone:.1f} MB")
    print(f"under load {carried.loaded.total:.1f} MB: {carried.loaded}", flush=True)
    record("idle_memory", kind, carried.idle.total)
    record("load_memory", kind, carried.loaded.total)
    record("supervisor_memory", kind, dict(carried.idle.processes)[SUPERVISOR])


def print_carried(processes: int, carried: Carried) -> None:
    """Print a row of the table."""
    print(
        f"{processes:>13} {carried.idle.total:>8.0f} {carried.loaded.total:>8.0f} {carried.webhooks_per_core:>16.0f} "
        f"{carried.deliveries_per_core:>18.0f}",
        flush=True,
    )


def print_machines(rows: Mapping[int, Carried]) -> None:
    """Print how many web processes fit into machines, by the memory that one more of them takes under load."""
    fewest, most = min(rows), max(rows)
    if fewest == most:
        return
    each = (rows[most].loaded.total - rows[fewest].loaded.total) / (most - fewest)
    for megabytes in MACHINES:
        room = megabytes * (1 - RESERVE_SHARE) - rows[fewest].loaded.total
        print(f"{megabytes} MB: {fewest + max(0, int(room / each))} web processes and a worker ({each:.0f} MB each)")


def main() -> None:
    """Measure as the options say."""
    parser = options_parser(__doc__)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS, help="what to measure")
    parser.add_argument("--seconds", type=float, default=10, help="length of each load")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4, 8], help="numbers of web processes")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("it reads /proc")
    compileall.compile_dir(ROOT / "app", quiet=1)  # PYTHONDONTWRITEBYTECODE may be set; it is for many tests
    print(describe_machine(), flush=True)
    with databases(options.folder) as prepared:
        for kind in options.only:
            print(f"\n{kind}")
            if "starts" in options.parts:
                starts(kind, prepared)
            if "memory" in options.parts:
                print_memory(kind, carry(prepared.environ(kind, 0), 2, options.seconds))
            if "carry" in options.parts:
                print("web processes  idle MB  load MB  webhooks/s/core  deliveries/s/core", flush=True)
                rows = {}
                for processes in options.processes:
                    rows[processes] = carry(prepared.environ(kind, 0), processes, options.seconds)
                    print_carried(processes, rows[processes])
                print_machines(rows)


if __name__ == "__main__":
    main()
