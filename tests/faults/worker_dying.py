"""The background worker, dying of SIGKILL at a named point, or with a bug planted.

WATS_TEST_DIE_AT names the point; each process passes it a few times first. WATS_TEST_PLANT names the bug.
"""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import os
import random
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from app import worker
from app.config import Settings
from app.gateway import Gateway

LEAST, MOST = 3, 40


class Death:
    """Comes when its point has been passed often enough."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._left = random.randint(LEAST, MOST)

    def pass_point(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def settle_before_post() -> None:
    """A bug: a delivery is written down as done before it is made."""
    from app.corridor.handling import Handler, attempt
    from app.domain.job import Done
    from app.domain.settlement import Settlement

    def handle(handler: Any, lane: Any, job: Any, task: Any) -> None:
        if lane.standing:
            really_handle(handler, lane, job, task)
            return
        handler._settle(Settlement(job, Done()))
        handler._on_point("claimed")
        attempt(lane, job, task)
        handler._leases.drop(job)

    really_handle = Handler.handle
    Handler.handle = handle  # type: ignore[method-assign]


def dedupe_per_body() -> None:
    """A bug: an event's id follows from the bytes it came in, so that one that Meta batches anew is another."""
    from dataclasses import replace

    from app.events import split as splitting

    split = splitting.split

    def split_per_body(body: bytes, *, sha256: bytes, received_at: Any) -> list[Any]:
        events = split(body, sha256=sha256, received_at=received_at)
        return [replace(event, id=f"evt_{sha256.hex()[:24]}{at:08x}") for event, at in zip(events, count())]

    splitting.split = split_per_body


PLANTS: dict[str, Callable[[], None]] = {plant.__name__: plant for plant in (settle_before_post, dedupe_per_body)}


def main() -> int:
    death = Death(os.environ.get("WATS_TEST_DIE_AT", ""))
    if plant := os.environ.get("WATS_TEST_PLANT"):
        PLANTS[plant]()
    build_gateway = worker.build_gateway

    def build_dying_gateway(settings: Settings) -> Gateway:
        gateway = build_gateway(settings)
        gateway.store._on_point = death.pass_point
        return gateway

    worker.build_gateway = build_dying_gateway
    return worker.main(death.pass_point)


if __name__ == "__main__":
    sys.exit(main())
