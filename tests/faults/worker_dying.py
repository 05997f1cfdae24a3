"""The background worker, dying of SIGKILL at a named point, or with a bug planted; it waits less than a real one.

Its argument is the point where it dies; each process passes it a few times first. WATS_TEST_PLANT names the bug. With
WATS_TEST_WANTED it also accepts messages: as many as stand in the file that it names, from where the file that
WATS_TEST_ACCEPTED names ends.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import gevent

from app import worker
from app.config import Settings
from app.domain import breaker, retry
from app.gateway import Gateway
from app.store import StoreError
from tests.faults import planted_in_sending
from tests.faults.sending_scene import recipient
from tests.faults.workers import CLAIMED_AHEAD, LEASE_SECONDS, RETRY_SECONDS, SLOTS
from tests.support.messages import new_message

REPEATED = 20
"""How many messages a process repeats that others have accepted: their answers may have been lost."""

LEAST, MOST = 16, 40
"""More than a worker has in flight: what a dead one left is done before the next one dies."""


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


def die_with_claims_ahead() -> None:
    """Die once more deliveries are claimed than are in flight."""
    from app.jobs.leases import Leases

    def claim(leases: Any, *given: Any, **options: Any) -> Any:
        jobs = really_claim(leases, *given, **options)
        if sum(job.queue.startswith("deliver:") for job, _ in leases._held.values()) > SLOTS:
            os.kill(os.getpid(), signal.SIGKILL)
        return jobs

    really_claim = Leases.claim
    Leases.claim = claim  # type: ignore[method-assign]


def settle_before_post() -> None:
    """A bug: a delivery is written down as done before it is made."""
    from app.domain.job import Done
    from app.domain.job_result import JobResult
    from app.jobs.executor import Executor

    def handle(handler: Any, queue: Any, job: Any, task: Any) -> None:
        if queue.singleton:
            really_handle(handler, queue, job, task)
            return
        handler._settle(JobResult(job, Done()))
        handler._on_failpoint("claimed")
        handler._attempt(queue, job, task)
        handler._leases.drop(job)

    really_handle = Executor.handle
    Executor.handle = handle  # type: ignore[method-assign]


def dedupe_per_body() -> None:
    """A bug: an event's id follows from the bytes it came in, so that one that Meta batches anew is another."""
    from dataclasses import replace

    from app.events import split as splitting

    split = splitting.split

    def split_per_body(body: bytes, *, sha256: bytes, received_at: Any) -> list[Any]:
        events = split(body, sha256=sha256, received_at=received_at)
        return [replace(event, id=f"evt_{sha256.hex()[:24]}{at:08x}") for event, at in zip(events, count())]

    splitting.split = split_per_body


def dedupe_outside_the_transaction() -> None:
    """A bug: which events are known is remembered in a transaction of its own, before the new ones are added."""
    from sqlalchemy import insert

    from app.store.events import Events
    from app.store.tables.schema import erased_events
    from app.store.transactions import split_receipts

    def remember(keys: set[bytes]) -> Callable[[Any], dict[bytes, Any]]:
        def remember(connection: Any) -> dict[bytes, Any]:
            known = look_up(connection, keys)
            new = [{"event_id": key, "at": datetime.now(UTC)} for key in keys - known.keys()]
            if new:
                connection.execute(insert(erased_events), new)
            return known

        return remember

    def add_what_is_not_known(events: Any, job: Any, split: Any, *others: Any) -> Any:
        known = events._store.write(remember(split_receipts._keys(split)))
        events._store._on_failpoint("remembered")
        split_receipts._known_items = lambda connection, keys: {key: known[key] for key in keys if key in known}
        return add(events, job, split, *others)

    look_up, add = split_receipts._known_items, Events.add
    Events.add = add_what_is_not_known  # type: ignore[method-assign]


def no_fence() -> None:
    """A bug: a worker that had a job settles it, whichever worker has it now."""
    from sqlalchemy import select

    from app.jobs.leases import Leases
    from app.store.tables.schema import jobs
    from app.store.transactions import settle_jobs

    def lock_anyway(connection: Any, claimed: Any) -> Any:
        wanted = jobs.c.id.in_([job.id for job in claimed])
        keys = dict(connection.execute(select(jobs.c.id, jobs.c.order_key).where(wanted)).all())
        return {(job.id, job.claim_id): keys[job.id] for job in claimed if job.id in keys}

    Leases.holds = lambda leases, job: True  # type: ignore[method-assign]
    settle_jobs.lock_held = lock_anyway


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant for plant in (settle_before_post, dedupe_per_body, dedupe_outside_the_transaction, no_fence)
} | planted_in_sending.PLANTS


def die_in_posts(death: Death) -> None:
    """Pass a point once a request is written and its answer is not there."""
    from app.graph.connection import _Telling

    def read_answer(connection: Any) -> Any:
        death.pass_point("posting")
        return answer(connection)

    answer = _Telling.getresponse
    _Telling.getresponse = read_answer  # type: ignore[method-assign]


def accept_all(store: Any, wanted: Path, accepted: Path) -> None:
    """Accept messages as clients do that repeat what they have no answer to: each with a key of its own."""
    known = [int(line) for line in accepted.read_text().split()] if accepted.exists() else []
    at = max([0, *(number - REPEATED for number in known)])
    while True:
        try:
            if at < int(wanted.read_text()):
                store.messages.accept([new_message(f"text {at}", to=recipient(at), key=f"key {at}")])
                with accepted.open("a") as file:
                    file.write(f"{at}\n")
                at += 1
                continue
        except StoreError:
            pass
        gevent.sleep(0.2)


def be_impatient() -> None:
    """Try again soon, also where attempts fail in a row: the last messages all go where many answers are lost."""
    soon = timedelta(seconds=RETRY_SECONDS)
    retry.PAUSES = (soon,) * len(retry.PAUSES)  # type: ignore[assignment]
    breaker.FIRST_PAUSE = breaker.MAX_PAUSE = soon


def main() -> int:
    die_at = sys.argv[1]
    death = Death(die_at)
    be_impatient()
    die_in_posts(death)
    if die_at == CLAIMED_AHEAD:
        die_with_claims_ahead()
    if plant := os.environ.get("WATS_TEST_PLANT"):
        PLANTS[plant]()
    build_gateway = worker.build_gateway

    def build_dying_gateway(settings: Settings) -> Gateway:
        impatient = replace(settings.worker, lease_seconds=LEASE_SECONDS)
        gateway = build_gateway(replace(settings, worker=impatient))
        gateway.store._on_failpoint = death.pass_point
        if wanted := os.environ.get("WATS_TEST_WANTED"):
            accepted = Path(os.environ["WATS_TEST_ACCEPTED"])
            gevent.spawn_later(0.2, accept_all, gateway.store, Path(wanted), accepted)
        return gateway

    worker.build_gateway = build_dying_gateway
    return worker.main(death.pass_point)
