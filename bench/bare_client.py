"""The upper bound for deliveries: POSTs per second of the bare client library, 8 at a time as in the worker.

python -m bench.bare_client PORT POSTS
"""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import sys
import time

import requests
from gevent.pool import Pool
from requests.adapters import HTTPAdapter

AT_ONCE = 8
BODY = b"x" * 900


def main(port: str, posts: str) -> None:
    """Print the POSTs per second."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=AT_ONCE))
    started = time.perf_counter()
    Pool(AT_ONCE).map(lambda _: session.post(f"http://127.0.0.1:{port}/hooks", BODY, timeout=5), range(int(posts)))
    print(int(posts) / (time.perf_counter() - started))


if __name__ == "__main__":
    main(*sys.argv[1:])
