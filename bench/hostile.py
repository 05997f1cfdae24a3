"""Latency of signed webhooks and memory of the server under each attack, beside a run without one.

Small webhooks come at a steady rate; large ones, of 3 MB, one after the other while strangers hold large bodies.

python -m bench.hostile [--seconds 10]
"""

import argparse
import tempfile

from bench import load, webhooks
from bench.attacks import ATTACKS, hold_bodies, under
from bench.databases import prepare
from bench.servers import Server, serving_wats

RATE = 200


def main() -> None:
    """Measure without an attack, then under each one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    print(f"{'attack':<18} {'per s':>6} {'p50 ms':>8} {'p99 ms':>8} {'not 200':>8} {'MB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        environ = {"WATS_DATA_DIR": folder, "WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml"}
        prepare(environ, 0)
        with serving_wats(environ) as server:
            _measure("quiet", server, small(server, seconds))
            for attack in ATTACKS:
                with under(attack, server.address):
                    _measure(attack.__name__, server, small(server, seconds))
            _measure("quiet, 3 MB", server, large(server, seconds))
            with under(hold_bodies, server.address):
                _measure("hold_bodies, 3 MB", server, large(server, seconds))


def small(server: Server, seconds: float) -> load.Result:
    """Send single updates at a steady rate."""
    return load.run(server.address, webhooks.singles(), connections=64, seconds=seconds, rate=RATE)


def large(server: Server, seconds: float) -> load.Result:
    """Send one webhook of 3 MB after the other."""
    return load.run(server.address, webhooks.large(), connections=1, seconds=seconds)


def _measure(name: str, server: Server, result: load.Result) -> None:
    print(
        f"{name:<18} {result.per_second:>6.0f} {result.percentile(0.5) * 1000:>8.1f} "
        f"{result.percentile(0.99) * 1000:>8.1f} {result.failed:>8} {server.memory_megabytes():>6.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
