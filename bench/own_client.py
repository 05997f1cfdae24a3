"""The processor time of a POST by the worker's own client, 8 at a time, in a process of its own.

python -m bench.own_client PORT POSTS
"""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from gevent.pool import Pool

from app.destinations import Destinations
from bench.bare_client import AT_ONCE, BODY

HEADERS = {"Content-Type": "application/json", "webhook-id": "x" * 36, "webhook-signature": "x" * 47}


@dataclass(frozen=True)
class Target:
    """The destination, as the client knows it."""

    name: str
    url: str
    timeout_seconds: int = 10


def main(port: str, posts: str) -> None:
    """Print the processor seconds of a POST."""
    destinations = Destinations(lambda _: True, lambda: datetime.now(UTC))
    target, pool = Target("fast", f"http://127.0.0.1:{port}/hooks"), Pool(AT_ONCE)
    pool.map(lambda _: destinations.post(target, BODY, HEADERS), range(AT_ONCE))
    started = time.process_time()
    pool.map(lambda _: destinations.post(target, BODY, HEADERS), range(int(posts)))
    print((time.process_time() - started) / int(posts))


if __name__ == "__main__":
    main(*sys.argv[1:])
