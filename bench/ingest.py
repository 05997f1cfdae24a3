"""The webhook door against an empty Flask route: same gunicorn settings, same requests, one run, side by side.

    python -m bench.ingest [--seconds 10] [--connections 64 256] [--postgres URL] [--receipts 1000000]

Prints throughput, p50, p99, memory and the ratio to the empty route. `generator` is the load generator's own
share of a core: where it comes near 1.0, the figure beside it is the generator's limit and not the server's.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import load, webhooks
from bench.servers import ROOT, Server, serving

OPEN_RATE = 4000
HEAD = (
    f"{'server':<10} {'load':<26} {'per s':>8} {'p50 ms':>8} {'p99 ms':>8} {'not 200':>8} {'generator':>10} {'MB':>6}"
)


def main() -> None:
    """Measure every combination asked for."""
    asked = _arguments()
    print(HEAD)
    for connections in asked.connections:
        empty = _measure("empty", connections, asked)
        sqlite = _measure("sqlite", connections, asked)
        print(f"  ratio to the empty route at {connections} connections: sqlite {sqlite / empty:.2f}", end="")
        if asked.postgres:
            print(f", postgresql {_measure('postgresql', connections, asked) / empty:.2f}", end="")
        print()
    _measure_open_loop(asked)
    _measure_batches(asked)


def _measure(server: str, connections: int, asked: argparse.Namespace) -> float:
    with _running(server, asked) as running:
        load.run(running.address, webhooks.singles(0), connections=connections, seconds=2)
        result = load.run(running.address, webhooks.singles(), connections=connections, seconds=asked.seconds)
        _print(server, f"closed, {connections} connections", result, running)
    return result.per_second


def _measure_open_loop(asked: argparse.Namespace) -> None:
    for rate in (OPEN_RATE // 2, OPEN_RATE):
        with _running("sqlite", asked) as running:
            load.run(running.address, webhooks.singles(0), connections=256, seconds=2)
            result = load.run(
                running.address, webhooks.singles(), connections=256, seconds=asked.steady_seconds, rate=rate
            )
            _print("sqlite", f"open, {rate}/s over 256", result, running)


def _measure_batches(asked: argparse.Namespace) -> None:
    for server in ("empty", "sqlite"):
        with _running(server, asked) as running:
            result = load.run(running.address, webhooks.batches(), connections=64, seconds=asked.seconds)
            _print(server, "closed, batches of 1000", result, running)


@contextmanager
def _running(server: str, asked: argparse.Namespace) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        environ = {"WATS_DATA_DIR": folder, "WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml"}
        if server == "empty":
            conf = str(ROOT / "bench" / "gunicorn_empty.py")
            with serving("bench.empty:app", environ, conf=conf, ready="/") as running:
                yield running
            return
        if server == "postgresql":
            environ["WATS_DRY_RUN_DATABASE_URL"] = asked.postgres
        _prepare(environ, asked.receipts)
        with serving("wsgi:app", environ, conf=str(ROOT / "gunicorn.conf.py"), ready="/readyz") as running:
            yield running


def _prepare(environ: dict[str, str], receipts: int) -> None:
    """The schema at head, and so many receipts already there."""
    from bench.prepare import prepare

    prepare(environ, receipts)


def _print(server: str, kind: str, result: load.Result, running: Server) -> None:
    refused = sum(count for status, count in result.statuses.items() if status != 200)
    print(
        f"{server:<10} {kind:<26} {result.per_second:>8.0f} {result.percentile(0.5) * 1000:>8.1f} "
        f"{result.percentile(0.99) * 1000:>8.1f} {refused:>8} {result.cpu:>10.2f} {running.memory_megabytes():>6.0f}",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--steady-seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--receipts", type=int, default=0, help="receipts already in the table")
    parser.add_argument("--postgres", help="the URL of an empty PostgreSQL database to measure as well")
    parser.add_argument("--folder", type=Path, help="where to put the SQLite file (a real disk)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
