"""`python -m app.graph.fake`: serve the fake on loopback until it is stopped, for tests in other processes."""

import argparse
import signal
import sys
import threading

from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.server import FakeMetaServer


def main(arguments: list[str]) -> None:
    """Serve; print the origin once it listens."""
    parser = argparse.ArgumentParser(prog="python -m app.graph.fake", description=__doc__)
    parser.add_argument(
        "--listen", default="127.0.0.1:0", metavar="ADDRESS", help="host and port; 0: any that is free"
    )
    parser.add_argument("--number", action="append", default=[], metavar="WABA:ID[:DIGITS]", help="may be repeated")
    parser.add_argument("--token", action="append", default=[], help="a known token; without any, all but expired…")
    parser.add_argument("--callback", help="where webhooks are posted")
    parser.add_argument("--app-secret", default="dry-run-app-secret")
    parser.add_argument("--seed", default="wats")
    options = parser.parse_args(arguments)
    accounts = Accounts(
        numbers=tuple(Number(*_number(each)) for each in options.number or ["1234567890:9876543210"]),
        app_secret=options.app_secret,
        tokens=frozenset(options.token) or None,
        callback_url=options.callback,
    )
    host, _, port = options.listen.rpartition(":")
    server = FakeMetaServer(accounts, host=host, port=int(port), seed=options.seed)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    server.start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    over.wait()
    server.stop()


def _number(text: str) -> tuple[str, ...]:
    waba, number, *display = text.split(":")
    return (number, waba, *display)


if __name__ == "__main__":
    main(sys.argv[1:])
