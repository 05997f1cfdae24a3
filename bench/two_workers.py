"""Measure what a second worker brings where it has a processor of its own. Linux only; run it as root.

    python -m bench.two_workers [--share 0.4] [--events 15000] [--only sqlite postgresql]

Each worker may use only a share of a processor, as on a machine of more and slower ones: the rest is for the
database, the web processes and the destination. A backlog is drained by one worker, and another by two. The
destination allows as many deliveries at a time as two workers have threads.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from bench.arrivals import Arrivals, Destination, fast_destination
from bench.databases import Databases, databases
from bench.deliver import CONFIG, fill, post, rate_of
from bench.goals import record
from bench.processor_share import cannot_limit, limited
from bench.servers import BIN, Server, free_port, further_workers, serving_command


def measure(prepared: Databases, kind: str, *, share: float, events: int) -> None:
    """Print the rate of one worker, that of two, and their ratio."""
    environ = dict(prepared.environ(kind, 0))
    port = free_port()
    config = Path(environ["WATS_DATA_DIR"]) / "deliver.yaml"
    config.write_text(CONFIG.format(port=port).replace("name: fast,", "name: fast, maxInFlight: 16,"))
    environ = {**environ, "WATS_CONFIG": str(config), "PATH": str(BIN)}
    with fast_destination(port) as destination:
        one = _drained(environ, destination, workers=1, share=share, events=events)
        two = _drained(environ, destination, workers=2, share=share, events=events)
    print(
        f"{kind}; {share:g} of a processor for each worker: one {one:.0f}/s, two {two:.0f}/s, ratio {two / one:.2f}",
        flush=True,
    )
    record("second_worker", kind, two / one)


def _drained(
    environ: Mapping[str, str], destination: Destination, *, workers: int, share: float, events: int
) -> float:
    """Return the deliveries per second of this many workers."""
    with serving_command(environ) as server, further_workers(environ, workers - 1) as others:
        fill(server, destination, events)
        with limited([_worker_of(server), *others], share):
            post(server, "/api/destinations/fast/resume")
            arrivals = Arrivals(destination)
            arrivals.wait_for(events)
    return rate_of(arrivals.times)


def _worker_of(server: Server) -> int:
    (worker,) = (pid for pid, name in server.names_by_pid().items() if "worker" in name)
    return worker


def main() -> None:
    """Measure as the options say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.4, help="share of a processor for each worker")
    parser.add_argument("--events", type=int, default=15_000, help="deliveries in each backlog")
    parser.add_argument(
        "--only",
        choices=("sqlite", "postgresql"),
        nargs="+",
        default=["sqlite", "postgresql"],
        help="kinds of databases",
    )
    parser.add_argument("--folder", type=Path, help="where to put the databases (a real disk)")
    options = parser.parse_args()
    if reason := cannot_limit():
        print(reason)
        return
    with databases(options.folder) as prepared:
        for kind in options.only:
            measure(prepared, kind, share=options.share, events=options.events)


if __name__ == "__main__":
    main()
