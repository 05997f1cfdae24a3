"""Measure the whole gateway end to end, from a webhook to a fast destination on the same machine.

    python -m bench.deliver [--seconds 60] [--rate 320] [--backlog 100000] [--only sqlite postgresql]

First a steady rate: the lag with which events reach the destination. Then a backlog: its throughput at the beginning
and at the end, and the latency of webhooks meanwhile. The upper bound is measured in the same run: the rate at which
the bare client library makes the same POSTs.
"""

import argparse
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from bench import load
from bench.databases import databases
from bench.servers import ROOT, Server, free_port, serving_command
from bench.webhooks import PATH, SECRET

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
RUN, _numbers = f"{time.time_ns():x}", count()
COMPARED = 20_000
"""Deliveries at the beginning and at the end of the backlog whose rates are compared."""


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
        """Wait for so many events; give up when none has come for `idle_seconds`."""
        last = time.monotonic()
        while len(self.times) < events and time.monotonic() - last < idle_seconds:
            time.sleep(0.25)
            report = self.destination.report()
            self.times += report["times"]
            self.lags += report["lags"]
            last = time.monotonic() if report["times"] else last


@contextmanager
def fast_destination(port: int) -> Iterator[Destination]:
    """Run a destination that answers at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.destination", str(port)],
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


def webhooks(updates: int = 1) -> Iterator[bytes]:
    """Yield signed webhooks with so many new messages each; a message holds the time at which it was sent."""
    while True:
        body = new_messages(updates)
        signature = signature_of(body, SECRET)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"{SIGNATURE_HEADER}: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def new_messages(updates: int) -> bytes:
    """Return the body of a webhook with so many messages that were not there before."""
    return _envelope([_message(f"wamid.{RUN}.{next(_numbers)}") for _ in range(updates)])


def _message(wamid: str) -> dict[str, Any]:
    text = f"sent={time.time():.6f}; " + "x" * 300
    return {"from": "4915112345678", "id": wamid, "timestamp": "1764000000", "type": "text", "text": {"body": text}}


def _envelope(messages: list[dict[str, Any]]) -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "9876543210"},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "4915112345678"}],
        "messages": messages,
    }
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def bare_client(port: int, posts: int = 3000) -> float:
    """Return the POSTs per second of the bare library at the worker's concurrency, in a process of its own."""
    command = [sys.executable, "-m", "bench.bare_client", str(port), str(posts)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def steady(server: Server, destination: Destination, *, rate: int, seconds: float) -> None:
    """Send webhooks at a steady rate and print the lag of their events."""
    result = load.run(server.address, webhooks(), connections=32, seconds=seconds, rate=rate)
    arrivals = Arrivals(destination)
    arrivals.wait_for(len(result.latencies))
    span = arrivals.times[-1] - arrivals.times[0]
    print(
        f"steady {rate}/s for {seconds:.0f} s: {len(arrivals.times)} of {len(result.latencies)} events, "
        f"{len(arrivals.times) / span:.0f}/s; lag p50 {_percentile(arrivals.lags, 0.5):.0f} ms, "
        f"p99 {_percentile(arrivals.lags, 0.99):.0f} ms; webhook p99 {result.percentile(0.99) * 1000:.0f} ms",
        flush=True,
    )


def backlog(server: Server, destination: Destination, *, events: int, rate: int) -> float:
    """Fill a backlog while the destination is paused, drain it under load, and return the deliveries per second."""
    _post(server, "/api/destinations/fast/pause")
    _send(server, islice(webhooks(BATCH), events // BATCH))
    _wait_until_split(server)
    destination.report()
    _post(server, "/api/destinations/fast/resume")
    result = load.run(server.address, webhooks(), connections=32, seconds=20, rate=rate)
    arrivals = Arrivals(destination)
    arrivals.wait_for(events + len(result.latencies))
    times = arrivals.times
    first, last = _rate(times[:COMPARED]), _rate(times[events - COMPARED : events])
    print(
        f"backlog of {events}: {len(times)} delivered at {_rate(times):.0f}/s, the first {COMPARED} at "
        f"{first:.0f}/s, the last at {last:.0f}/s (ratio {last / first:.2f}); meanwhile {rate} webhooks/s answered "
        f"with p50 {result.percentile(0.5) * 1000:.0f} ms, p99 {result.percentile(0.99) * 1000:.0f} ms",
        flush=True,
    )
    return _rate(arrivals.times)


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


def _post(server: Server, path: str) -> None:
    _call(server, "POST", path)


def _call(server: Server, method: str, path: str) -> Any:
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    connection.request(method, path, headers=TOKEN)
    response = connection.getresponse()
    content = response.read()
    assert response.status < 300, content
    return json.loads(content)


def _rate(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def main() -> None:
    """Measure as the options say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of the steady run")
    parser.add_argument("--rate", type=int, default=320, help="webhooks per second")
    parser.add_argument("--backlog", type=int, default=100_000, help="deliveries in the backlog")
    parser.add_argument(
        "--only",
        choices=("sqlite", "postgresql"),
        nargs="+",
        default=["sqlite", "postgresql"],
        help="kinds of databases",
    )
    parser.add_argument("--folder", type=Path, help="where to put the databases (a real disk)")
    options = parser.parse_args()
    with databases(options.folder) as prepared:
        for kind in options.only:
            port = free_port()
            environ = dict(prepared.environ(kind, 0))
            config = Path(environ["WATS_DATA_DIR"]) / "deliver.yaml"
            config.write_text(CONFIG.format(port=port))
            with fast_destination(port) as destination:
                bare = bare_client(port)
                destination.report()
                with serving_command({**environ, "WATS_CONFIG": str(config)}) as server:
                    print(f"{kind}; the bare client library: {bare:.0f} POSTs/s", flush=True)
                    steady(server, destination, rate=options.rate, seconds=options.seconds)
                    drained = backlog(server, destination, events=options.backlog, rate=options.rate)
                    print(f"drained at {drained / bare:.2f} of the bare client's rate", flush=True)
                    resident = ", ".join(f"{memory.resident:.0f}" for memory in server.memory_of_processes())
                    print(f"MB of its processes: {resident}", flush=True)


if __name__ == "__main__":
    main()
