"""A commit wakes only the queues that it concerns: a claim for each would cost a transaction for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import gevent
import pytest
from gevent.event import Event
from sqlalchemy import insert

from app.domain.destination import queue_of_destination
from app.domain.job import Job
from app.domain.job_result import JobResult
from app.gateway import Gateway
from app.jobs.commit_listener import CommitListener
from app.jobs.dispatcher import Dispatcher
from app.jobs.executor import Executor
from app.jobs.leases import Leases
from app.jobs.queue import Queue
from app.store import GroupCommit, Store
from app.store.tables.schema import jobs
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.work import CRM, LEASE, add_events, done, split_event

ERP = queue_of_destination("erp")
NEVER = 10 * DEADLINE_SECONDS

wait_until = partial(wait_for, sleep=gevent.sleep)
"""Wait while the greenlets of this process go on."""


@pytest.fixture
def store(gateway: Gateway) -> Store:
    gateway.store.queues.ensure([CRM, ERP])
    return gateway.store


class Served:
    """A queue whose jobs succeed at once, and what its dispatcher did."""

    def __init__(self, name: str) -> None:
        self.looks = 0
        self.handled: list[Job] = []
        self.queue = Queue(
            name, 8, lambda claimed: [(job, partial(self._handle, job)) for job in claimed], has_work=self._look
        )

    def _look(self) -> bool:
        self.looks += 1
        return True

    def _handle(self, job: Job) -> JobResult:
        self.handled.append(job)
        return done(job)


@contextmanager
def serving(store: Store, *served: Served) -> Iterator[None]:
    """Serve these queues, which are looked at after commits only, until the block ends."""
    leases, settlements, stop = Leases(store, LEASE), GroupCommit(store.jobs.settle_batch), Event()
    executor = Executor(store, leases, settlements, lambda _: None)
    dispatchers = [
        Dispatcher(
            each.queue,
            store=store,
            leases=leases,
            executor=executor,
            slots=8,
            may_work=lambda: True,
            poll_seconds=NEVER,
        )
        for each in served
    ]
    listener = CommitListener(store, dispatchers, lambda: True)
    running = [gevent.spawn(listener.listen_until, stop), *(gevent.spawn(each.run) for each in dispatchers)]
    wait_until(lambda: all(each.rests for each in dispatchers))
    try:
        yield
    finally:
        stop.set()
        for dispatcher in dispatchers:
            dispatcher.stop()
        store.queues.resume(CRM)  # a commit, for which the listener waits
        gevent.joinall(running, DEADLINE_SECONDS)
        settlements.close()


def test_a_commit_wakes_only_the_queue_whose_job_is_due(store: Store) -> None:
    crm, erp = Served(CRM), Served(ERP)

    with serving(store, crm, erp):
        for number in range(10):
            add_events(store, split_event(number))
            wait_until(lambda number=number: len(crm.handled) == number + 1)

    assert erp.looks == 1


def test_a_job_that_falls_due_before_the_end_of_the_rest_ends_it(store: Store) -> None:
    crm = Served(CRM)
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    job = insert(jobs).values(queue=CRM, subject=1, due_at=soon, attempts=0, claims=0)

    with serving(store, crm):
        store.write(lambda c: c.execute(job), "work")
        wait_until(lambda: bool(crm.handled))

    assert datetime.now(UTC) >= soon
