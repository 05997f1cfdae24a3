"""Measure messages: how fast they are accepted beside an empty route, and sent through a Meta that takes 100 ms.

    python -m bench.send [--parts accept send steady pacing] [--seconds 5] [--messages 5000] [--minute]

The bare Meta is measured first: it must be faster than what is measured with it. Processor time and round trips of
the worker are for each message and stay the same on a busy machine; rates and times do not. Pacing is measured by
the times at which the POSTs of four workers arrive at Meta: over 10 s, or with `--minute` over a whole minute.
"""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import load, outgoing
from bench.arrivals import Arrivals, Destination, listening
from bench.databases import Databases, databases, opened, prepare
from bench.frame import Measured, describe_machine, options_parser, percentile
from bench.goals import record
from bench.job_queue import Meters, relay_to, wait_until, working
from bench.outgoing import NUMBER
from bench.servers import BIN, Server, free_port, serving_command, serving_empty, serving_wats
from tests.support.live import LIVE_ENVIRONMENT, PROFILE

PARTS = ("accept", "send", "steady", "pacing")
TOKEN = LIVE_ENVIRONMENT["TEST_SERVICE_TOKEN"]
SENDING = """
    graph: {{ baseUrl: "http://127.0.0.1:{port}" }}
    storage: {{ url: "{url}" }}
    sending: {{ messagesPerSecond: {rate} }}
"""
FASTEST, USUAL = 1000, 80
"""Messages per second: the fastest number that Meta has, and an ordinary one."""

CONNECTIONS, BATCH = 64, 100
BURST, BURST_SECONDS = 1100, 5
WORKERS = 4


@dataclass(frozen=True)
class Bench:
    """The options, and the source of databases."""

    options: argparse.Namespace
    databases: Databases

    def run(self) -> None:
        """Measure every part of the options on every database."""
        print(describe_machine(), flush=True)
        for kind in self.options.only:
            for part in self.options.parts:
                getattr(self, part)(kind)

    def accept(self, kind: str) -> None:
        """Accept messages over HTTP without a worker, as fast as they are answered, and then in a burst."""
        with serving_empty(self.databases.without_database(), "bench.empty_api:app") as empty:
            bounds = [self._accepted(empty, "empty", *load) for load in self._loads()]
        with serving_wats(self._environ(kind, 1, FASTEST)) as server:
            for bound, (name, *load_of) in zip(bounds, self._loads(), strict=True):
                accepted = self._accepted(server, kind, name, *load_of)
                ratio, of_time = accepted.beside(bound)
                print(f"{kind}: {name}: {ratio:.2f} of the empty route; of processor time {of_time:.2f}", flush=True)
                record(f"accept_ratio_{name}", kind, ratio)
            burst = outgoing.singles(TOKEN, with_keys=True)
            result = load.run(server.address, burst, connections=256, seconds=BURST_SECONDS, rate=BURST)
            rate, p99 = result.statuses.get(202, 0) / BURST_SECONDS, result.percentile(0.99) * 1000
            print(f"{kind}: a burst of {BURST}/s: {rate:.0f}/s accepted, p99 {p99:.0f} ms", flush=True)
            record("burst_rate", kind, rate)

    def _loads(self) -> list[tuple[str, Iterator[bytes], int]]:
        return [
            ("single", outgoing.singles(TOKEN, with_keys=False), 1),
            ("keyed", outgoing.singles(TOKEN, with_keys=True), 1),
            ("batched", outgoing.batches(TOKEN, BATCH), BATCH),
        ]

    def _accepted(self, server: Server, kind: str, name: str, requests: Iterator[bytes], size: int) -> Measured:
        """Let messages be accepted as fast as the server answers."""
        load.run(server.address, requests, connections=CONNECTIONS, seconds=1)
        before = server.processor_seconds()
        result = load.run(server.address, requests, connections=CONNECTIONS, seconds=self.options.seconds)
        answered = len(result.latencies)
        assert not result.failed, result.statuses
        rate, p99 = result.per_second * size, result.percentile(0.99) * 1000
        spent = (server.processor_seconds() - before) / answered / size
        told = f"{rate:.0f} messages/s accepted, p99 {p99:.0f} ms, {spent * 1000:.2f} ms of the server for each"
        print(f"{kind}: {name}: {told}", flush=True)
        return Measured(rate, spent + result.cpu / rate)

    def send(self, kind: str) -> None:
        """Let one worker send messages that wait, as fast as it can."""
        count = self.options.messages
        with self._meta() as (port, meta):
            environ = self._environ(kind, port, FASTEST)
            with opened(environ) as store, ExitStack() as stack:
                relay = None
                if kind == "postgresql":
                    relay_port, relay = stack.enter_context(relay_to(self.databases.port_of_server))
                    environ = self._through(environ, relay_port)
                with working(environ, store) as worker:
                    meters = Meters(worker, None if relay is None else self.databases.pid_of_server, relay)
                    arrivals = Arrivals(meta)
                    outgoing.store_messages(store, count)
                    arrivals.wait_for(count)
                    wait_until(lambda: store.jobs.next_due_in(f"send:{NUMBER}") is None)
                    cost = meters.cost_of(count)
            rate = (len(arrivals.times) - 1) / (arrivals.times[-1] - arrivals.times[0])
            print(f"{kind}: one worker sends {rate:.0f} messages/s; {cost}", flush=True)
            record("send_rate", kind, rate)
            record("send_milliseconds", kind, cost.worker / count * 1000)

    def steady(self, kind: str) -> None:
        """Submit messages at the rate of an ordinary number, and measure when their POSTs arrive."""
        with self._meta() as (port, meta), serving_command(self._environ(kind, port, USUAL)) as server:
            requests = outgoing.singles(TOKEN, with_keys=True)
            seconds = 60 if self.options.minute else 10
            result = load.run(server.address, requests, connections=32, seconds=seconds, rate=USUAL)
            arrivals = Arrivals(meta)
            accepted = len(result.latencies)
            arrivals.wait_for(accepted)
            middle, late = (percentile(arrivals.lags, share, of=accepted) * 1000 for share in (0.5, 0.99))
            told = f"from request to POST p50 {middle:.0f} ms, p99 {late:.0f} ms"
            print(f"{kind}: {USUAL}/s for {seconds} s: {len(arrivals.times)} of {accepted} sent, {told}", flush=True)
            record("send_lag_p99", kind, late)

    def pacing(self, kind: str) -> None:
        """Let four workers send what waits, and compare the rate at Meta with that of the number."""
        seconds = 60 if self.options.minute else 10
        with self._meta() as (port, meta):
            environ = self._environ(kind, port, USUAL)
            with opened(environ) as store, ExitStack() as stack:
                for _ in range(WORKERS):
                    stack.enter_context(working(environ, store))
                outgoing.store_messages(store, USUAL * (seconds + 5))
                arrivals = Arrivals(meta)
                arrivals.wait_for(USUAL * (seconds + 2))
        first = arrivals.times[0] + 1  # after the burst that a number may catch up on
        rate = sum(first <= at < first + seconds for at in arrivals.times) / seconds
        peak = max(sum(at <= other < at + 1 for other in arrivals.times) for at in arrivals.times[:: USUAL // 4])
        print(f"{kind}: {WORKERS} workers over {seconds} s: {rate:.2f}/s; most in a second {peak}", flush=True)
        record("pacing_deviation", kind, abs(rate / USUAL - 1) * 100)

    @contextmanager
    def _meta(self) -> Iterator[tuple[int, Destination]]:
        """Run Meta, and print how fast it is alone."""
        port = free_port()
        with listening("bench.meta", port) as meta:
            alone = load.run(
                ("127.0.0.1", port), outgoing.singles(TOKEN, with_keys=False), connections=400, seconds=2
            )
            print(
                f"Meta alone: {alone.per_second:.0f} POSTs/s, p50 {alone.percentile(0.5) * 1000:.0f} ms", flush=True
            )
            meta.report()
            yield port, meta

    def _environ(self, kind: str, port: int, rate: int) -> dict[str, str]:
        """Return the environment of a live gateway with a new database."""
        environ = self.databases.new(kind)
        folder = Path(environ.pop("WATS_DATA_DIR"))
        url = environ.pop("WATS_DRY_RUN_DATABASE_URL", f"sqlite:///{folder / 'bench.db'}")
        config = folder / "send.yaml"
        config.write_text(PROFILE + SENDING.format(port=port, url=url, rate=rate))
        environ = {
            **LIVE_ENVIRONMENT,
            "PATH": str(BIN),
            "WATS_DATA_DIR": str(folder),
            "WATS_CONFIG": str(config),
            "WATS_MODE": "live",
            "WATS_YES_LIVE": "1",
        }
        prepare(environ, 0)
        return environ

    def _through(self, environ: Mapping[str, str], port: int) -> dict[str, str]:
        """Return the environment of a worker that reaches PostgreSQL by this port."""
        config = Path(environ["WATS_DATA_DIR"]) / "relayed.yaml"
        text = Path(environ["WATS_CONFIG"]).read_text()
        config.write_text(text.replace(f":{self.databases.port_of_server}/", f":{port}/"))
        return {**environ, "WATS_CONFIG": str(config)}


def main() -> None:
    """Measure as the options say."""
    parser = options_parser(__doc__)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS, help="what to measure")
    parser.add_argument("--seconds", type=float, default=5, help="length of each run in closed loop")
    parser.add_argument("--messages", type=int, default=5000, help="messages that one worker sends")
    parser.add_argument("--minute", action="store_true", help="measure the steady rate and pacing over a minute")
    options = parser.parse_args()
    with databases(options.folder) as prepared:
        Bench(options, prepared).run()


if __name__ == "__main__":
    main()
