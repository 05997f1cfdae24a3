"""Measure the worker alone, without webhooks: splitting into events, then delivering them to a fast destination.

    python -m bench.job_queue [--events 10000] [--only sqlite postgresql]

Its figures are processor time and round trips for each event, which stay the same on a busy machine. A POST
by the worker's own client is measured by itself, and left out of the worker's time.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.assembly import build_gateway
from app.config import load_settings
from app.domain.receipt import NewReceipt
from app.store import Store
from bench.arrivals import Arrivals, fast_destination
from bench.databases import Databases, databases
from bench.deliver import BATCH, CONFIG
from bench.frame import options_parser
from bench.goals import record
from bench.new_messages import new_messages
from bench.servers import BIN, ROOT, free_port, processor_seconds

PAUSED = """      - {{ name: paused, url: "http://127.0.0.1:{port}/hooks", secret: {{ env: BENCH_SECRET }} }}
"""
POSTS = 3000
WAIT_SECONDS = 600


@dataclass(frozen=True)
class Cost:
    """What this many events took: seconds of the clock, of the worker's and the server's processor, round trips."""

    events: int
    wall: float
    worker: float
    server: float
    round_trips: int

    def __str__(self) -> str:
        each = 1000 / self.events
        return (
            f"{self.events / self.wall:.0f} events/s; for each event {self.worker * each:.3f} ms of the worker, "
            f"{self.server * each:.3f} ms of the database server, {self.round_trips / self.events:.2f} round trips"
        )


class Meters:
    """Reads what the worker, the database server and the connection between them have done so far."""

    def __init__(self, worker: int, server: int | None, relay: "subprocess.Popen[str] | None") -> None:
        self._worker, self._server, self._relay = worker, server, relay
        self._before = self._read()

    def cost_of(self, events: int) -> Cost:
        """Return the cost of this many events: everything since the last call."""
        now = self._read()
        differences = [after - before for before, after in zip(self._before, now, strict=True)]
        self._before = now
        return Cost(events, *differences[:3], self._round_trips())

    def _read(self) -> tuple[float, float, float]:
        server = processor_seconds(self._server) if self._server else 0.0
        return time.monotonic(), processor_seconds(self._worker), server

    def _round_trips(self) -> int:
        if self._relay is None:
            return 0
        assert self._relay.stdin is not None
        assert self._relay.stdout is not None
        print(file=self._relay.stdin, flush=True)
        return int(self._relay.stdout.readline())


@contextmanager
def relay_to(port: int) -> "Iterator[tuple[int, subprocess.Popen[str]]]":
    """Run the relay that counts round trips. Yield its port and its process."""
    command = [sys.executable, "-m", "bench.round_trips", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()


@contextmanager
def working(environ: Mapping[str, str], store: Store) -> Iterator[int]:
    """Run a worker until the block ends. Yield its process id once it has beaten."""
    with (Path(environ["WATS_DATA_DIR"]) / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN / "flask"), "wats", "worker"], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: store.heartbeats.of_kind("worker") != [])
        time.sleep(1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait, and look often enough for a rate."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def own_client(port: int) -> float:
    """Return the processor seconds of a POST by the worker's own client."""
    command = [sys.executable, "-m", "bench.own_client", str(port), str(POSTS)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def measure(prepared: Databases, kind: str, events: int) -> None:
    """Split this many events, deliver them, and print what it took."""
    port = free_port()
    environ = {**prepared.environ(kind, 0), "PATH": str(BIN)}
    config = Path(environ["WATS_DATA_DIR"]) / "job_queue.yaml"
    config.write_text((CONFIG + PAUSED).format(port=port))
    environ["WATS_CONFIG"] = str(config)
    store = build_gateway(load_settings(environ=environ)).store
    store.open()
    store.queues.ensure(["deliver:fast", "deliver:paused"])
    for name in ("fast", "paused"):
        store.queues.pause(f"deliver:{name}", on=True)
    relaying = nullcontext((0, None)) if kind == "sqlite" else relay_to(prepared.port_of_server)
    with fast_destination(port) as destination, relaying as (relay_port, relay):
        post = own_client(port)
        destination.report()
        if relay is not None:
            url = environ["WATS_DRY_RUN_DATABASE_URL"]
            environ["WATS_DRY_RUN_DATABASE_URL"] = url.replace(f":{prepared.port_of_server}/", f":{relay_port}/")
        with working(environ, store) as worker:
            meters = Meters(worker, None if relay is None else prepared.pid_of_server, relay)
            meters.cost_of(1)
            now = datetime.now(UTC)
            store.receipts.add_all([NewReceipt(new_messages(BATCH), now, "current") for _ in range(events // BATCH)])
            wait_until(lambda: not store.receipts.has_pending())
            split = meters.cost_of(events)
            print(f"{kind}: split, two destinations: {split}", flush=True)
            record("split_rate", kind, events / split.wall)
            arrivals = Arrivals(destination)
            meters.cost_of(1)
            store.queues.resume("deliver:fast")
            arrivals.wait_for(events)
            wait_until(lambda: store.jobs.next_due_in("deliver:fast") is None)
            cost = meters.cost_of(events)
            own = cost.worker / events - post
            print(f"{kind}: deliver: {cost}", flush=True)
            whole = own + split.worker / events
            print(
                f"{kind}: a POST {post * 1000:.3f} ms, the worker without it {own * 1000:.3f} ms, and with the "
                f"splitting for two destinations {whole * 1000:.3f} ms",
                flush=True,
            )
            record("own_milliseconds", kind, own * 1000)
            record("round_trips", kind, cost.round_trips / events)
    store.close()


def main() -> None:
    """Measure as the options say."""
    parser = options_parser(__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="events to split, then to deliver")
    options = parser.parse_args()
    with databases(options.folder) as prepared:
        for kind in options.only:
            measure(prepared, kind, options.events)


if __name__ == "__main__":
    main()
