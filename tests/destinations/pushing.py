"""The client of destinations in a process as the worker is one: gevent-patched, posting what its input asks for."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()  # before anything else is imported

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

import gevent
from gevent.fileobject import FileObject

from app.destinations import Destinations
from app.log import configure_logging

TICK_SECONDS = 0.01
HANGING_SECONDS = 8
NAMES = {
    "two.test": ["127.0.0.9", "127.0.0.1"],
    "turned.test": ["169.254.169.254"],
    "none.test": [],
}

native_sleep = monkey.get_original("time", "sleep")
native_look_up = monkey.get_original("socket", "getaddrinfo")


def look_up(host: str, *arguments: Any) -> Any:
    """A name server that answers for ours, and does not answer for others."""
    if host == "hanging.test":
        native_sleep(HANGING_SECONDS)
    return [entry for name in NAMES.get(host, [host]) for entry in native_look_up(name, *arguments)]


def now() -> datetime:
    return datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def tick(ticks: "count[int]") -> None:
    while True:
        gevent.sleep(TICK_SECONDS)
        next(ticks)


def main() -> None:
    """Read lists of posts to make at once; print their answers, the order of their ends, and a clock's ticks."""
    configure_logging()
    anywhere = Destinations(lambda _: True, now, look_up)
    this_machine = Destinations(lambda address: address.is_loopback, now, look_up)
    ticks = count()
    gevent.spawn(tick, ticks)

    def post(index: int, request: dict[str, Any], finished: list[int]) -> dict[str, Any]:
        destination = SimpleNamespace(name=request["url"], url=request["url"], timeout_seconds=request["seconds"])
        client = this_machine if request["only_this_machine"] else anywhere
        answer = client.post(destination, request["body"].encode(), request["headers"])
        finished.append(index)
        return {**asdict(answer), "body": answer.body.decode("latin-1")}

    for line in FileObject(sys.stdin.fileno(), "r", close=False):
        before, finished = next(ticks), list[int]()
        posts = [gevent.spawn(post, index, request, finished) for index, request in enumerate(json.loads(line))]
        answers = [greenlet.get() for greenlet in posts]
        report = {"answers": answers, "finished": finished, "ticks": next(ticks) - before}
        print(json.dumps(report, default=str), flush=True)


if __name__ == "__main__":
    main()
