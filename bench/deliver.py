"""Measure the whole gateway end to end, from a webhook to a fast destination on the same machine.

    python -m bench.deliver [--seconds 60] [--rate 320] [--backlog 20000] [--deep 1000000] [--workers 2] [--only …]

First a steady rate, 0.3 of the upper bound: the lag with which events reach the destination. Then a backlog: its
throughput, and the latency of webhooks meanwhile. Then a deep one, made by copies, of which a minute is drained. The
upper bound is measured in the same run: the rate at which the bare client library makes the same POSTs.
"""

import argparse
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from app.store import Store
from bench import load
from bench.arrivals import Arrivals, Destination, fast_destination
from bench.databases import Databases, databases, opened
from bench.deep import deepen
from bench.frame import options_parser, percentile
from bench.goals import record
from bench.new_messages import webhooks
from bench.servers import BIN, ROOT, Server, free_port, further_workers, serving_command

CONFIG = """
version: 1
defaultProfile: bench
profiles:
  bench:
    whatsapp: {{ wabaId: "1234567890", phoneNumberId: "9876543210" }}
    auth: {{ accessToken: {{ env: BENCH_ACCESS_TOKEN }} }}
    webhook: {{ verifyToken: {{ env: BENCH_VERIFY_TOKEN }}, appSecret: {{ env: BENCH_APP_SECRET }} }}
    service: {{ bearerToken: {{ env: BENCH_SERVICE_TOKEN }} }}
    destinations:
      - {{ name: fast, url: "http://127.0.0.1:{port}/hooks", secret: {{ env: BENCH_SECRET }} }}
"""
TOKEN = {"Authorization": "Bearer dry-run-service-token", "Content-Type": "application/json"}
BATCH = 1000
STEADY_SHARE = 0.3
BESIDE_SECONDS, DEEP_SECONDS = 20, 60
SEED = 10_000
"""How many events of a deep backlog come by webhooks; the others are copies of them."""


def bare_client(port: int, posts: int = 3000) -> float:
    """Return the POSTs per second of the bare library at the worker's concurrency, in a process of its own."""
    command = [sys.executable, "-m", "bench.bare_client", str(port), str(posts)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def steady(kind: str, server: Server, destination: Destination, *, rate: int, seconds: float) -> None:
    """Send webhooks at a steady rate and print the lag of their events."""
    result = load.run(server.address, webhooks(), connections=32, seconds=seconds, rate=rate)
    arrivals = Arrivals(destination)
    accepted = len(result.latencies)
    arrivals.wait_for(accepted)
    middle, late = (percentile(arrivals.lags, share, of=accepted) * 1000 for share in (0.5, 0.99))
    print(
        f"steady {rate}/s for {seconds:.0f} s: {len(arrivals.times)} of {accepted} events, "
        f"{rate_of(arrivals.times):.0f}/s; lag p50 {middle:.0f} ms, p99 {late:.0f} ms; "
        f"webhook p99 {result.percentile(0.99) * 1000:.0f} ms, {result.failed} failed",
        flush=True,
    )
    record("steady_lag_p99", kind, late)
    record("steady_webhooks_p99", kind, result.percentile(0.99) * 1000)


def backlog(kind: str, server: Server, destination: Destination, *, events: int, rate: int) -> float:
    """Fill a backlog, drain it beside webhooks of 20 seconds, and return the deliveries per second of all the time.

    Print those of the time in which webhooks came too.
    """
    fill(server, destination, events)
    post(server, "/api/destinations/fast/resume")
    result = load.run(server.address, webhooks(), connections=32, seconds=BESIDE_SECONDS, rate=rate)
    ended, arrivals = time.time(), Arrivals(destination)
    arrivals.wait_for(events + len(result.latencies))
    beside = rate_of([at for at in arrivals.times[:events] if at <= ended])
    print(
        f"backlog of {events}: {len(arrivals.times)} delivered at {rate_of(arrivals.times):.0f}/s, "
        f"{beside:.0f}/s while webhooks came; {rate} webhooks/s answered with p50 "
        f"{result.percentile(0.5) * 1000:.0f} ms, p99 {result.percentile(0.99) * 1000:.0f} ms, "
        f"{result.failed} failed",
        flush=True,
    )
    record("drain_webhooks_p99", kind, result.percentile(0.99) * 1000)
    return rate_of(arrivals.times)


def deep_backlog(server: Server, destination: Destination, store: Store, *, events: int) -> float:
    """Fill a deep backlog, drain a minute of it without webhooks, and return the deliveries per second."""
    fill(server, destination, min(events, SEED))
    deepen(store, "deliver:fast", events)
    post(server, "/api/destinations/fast/resume")
    arrivals, until = Arrivals(destination), time.monotonic() + DEEP_SECONDS
    while time.monotonic() < until and len(arrivals.times) < events:
        arrivals.wait_for(len(arrivals.times) + 1)
    print(f"backlog of {events}: {len(arrivals.times)} delivered at {rate_of(arrivals.times):.0f}/s", flush=True)
    return rate_of(arrivals.times)


def fill(server: Server, destination: Destination, events: int) -> None:
    """Fill a backlog while the destination is paused."""
    post(server, "/api/destinations/fast/pause")
    _send(server, islice(webhooks(BATCH), events // BATCH))
    _wait_until_split(server)
    destination.report()


def _send(server: Server, requests: Iterable[bytes]) -> None:
    """Send one request after the other; each must be answered with 200."""
    connection = load.Connection(server.address)
    for request in requests:
        connection.send(request, 0)
        connection.socket.setblocking(True)
        while (status := connection.status()) is None:
            pass
        assert status == 200, status
    connection.socket.close()


def _wait_until_split(server: Server) -> None:
    while _call(server, "GET", "/status")["receipts"]["pending"]:
        time.sleep(0.5)


def post(server: Server, path: str) -> None:
    """Call the service's API."""
    _call(server, "POST", path)


def _call(server: Server, method: str, path: str) -> Any:
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    connection.request(method, path, headers=TOKEN)
    response = connection.getresponse()
    content = response.read()
    assert response.status < 300, content
    return json.loads(content)


def rate_of(times: list[float]) -> float:
    """Return the arrivals per second."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def measure(prepared: Databases, kind: str, options: argparse.Namespace) -> None:
    """Measure the gateway on a database of this kind."""
    port = free_port()
    environ = dict(prepared.environ(kind, 0))
    config = Path(environ["WATS_DATA_DIR"]) / "deliver.yaml"
    config.write_text(CONFIG.format(port=port))
    with fast_destination(port) as destination:
        bare = bare_client(port)
        destination.report()
        rate = options.rate or round(STEADY_SHARE * bare)
        environ = {**environ, "WATS_CONFIG": str(config), "PATH": str(BIN)}
        with (
            serving_command(environ) as server,
            further_workers(environ, options.workers - 1),
            opened(environ) as store,
        ):
            print(f"{kind}; the bare client library: {bare:.0f} POSTs/s", flush=True)
            steady(kind, server, destination, rate=rate, seconds=options.seconds)
            drained = backlog(kind, server, destination, events=options.backlog, rate=rate)
            print(f"drained at {drained / bare:.2f} of the bare client's rate", flush=True)
            record("drain_ratio", kind, drained / bare)
            if options.deep:
                small = deep_backlog(server, destination, store, events=options.backlog)
                deep = deep_backlog(server, destination, store, events=options.deep)
                print(
                    f"the deep one at {deep / small:.2f} of the rate of the small one, and at {deep / bare:.2f} of "
                    "the bare client's",
                    flush=True,
                )
                record("deep_ratio", kind, deep / small)
            resident = ", ".join(f"{memory.resident:.0f}" for memory in server.memory_of_processes())
            print(f"MB of its processes: {resident}", flush=True)


def main() -> None:
    """Measure as the options say."""
    parser = options_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of the steady run")
    parser.add_argument("--rate", type=int, help="webhooks per second; 0.3 of the bare client's rate if not given")
    parser.add_argument("--backlog", type=int, default=20_000, help="deliveries in the backlog")
    parser.add_argument("--deep", type=int, default=1_000_000, help="deliveries in the deep backlog; 0: none")
    parser.add_argument("--workers", type=int, default=1, help="workers; `serve` has one of them")
    options = parser.parse_args()
    with databases(options.folder) as prepared:
        for kind in options.only:
            measure(prepared, kind, options)


if __name__ == "__main__":
    main()
