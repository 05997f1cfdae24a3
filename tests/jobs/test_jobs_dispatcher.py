"""A dispatcher goes on after any failure between a claim and a task, and keeps no claim that it does not use."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import gevent
import pytest

from app.domain.delivery import DeliveryState
from app.domain.job import Job
from app.domain.job_result import JobResult
from app.gateway import Gateway
from app.jobs.dispatcher import Dispatcher
from app.jobs.executor import Executor
from app.jobs.leases import Leases
from app.jobs.queue import Queue, Task
from app.store import GroupCommit, Store, StoreUnavailable
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.work import CRM, LEASE, add_events, done, split_event


@pytest.fixture
def store(gateway: Gateway) -> Store:
    return gateway.store


def tasks_of(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
    return [(job, lambda job=job: done(job)) for job in jobs]  # type: ignore[misc]


def no_failpoint(_point: str) -> None:
    """Let the process live."""


@contextmanager
def dispatching(
    store: Store,
    prepare: Callable[[Sequence[Job]], list[tuple[Job, Task]]],
    *,
    slots: int = 8,
    undo: Callable[[Sequence[Job]], None] = lambda _: None,
) -> Iterator[Dispatcher]:
    leases = Leases(store, LEASE)
    settlements = GroupCommit(store.jobs.settle_batch)
    executor = Executor(store, leases, settlements, no_failpoint)
    dispatcher = Dispatcher(
        Queue(CRM, 8, prepare, undo=undo),
        store=store,
        leases=leases,
        executor=executor,
        slots=slots,
        may_work=lambda: True,
    )
    running = gevent.spawn(dispatcher.run)
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        running.join(DEADLINE_SECONDS)
        dispatcher.join()
        settlements.close()


wait_until = partial(wait_for, sleep=gevent.sleep)
"""Wait while the greenlets of this process go on."""


def delivered(store: Store) -> int:
    return len(store.deliveries.page(state=DeliveryState.DELIVERED, limit=10))


def test_no_more_jobs_are_in_flight_than_there_are_slots(store: Store) -> None:
    add_events(store, *map(split_event, range(9)))
    in_flight: list[int] = []

    def handle(job: Job) -> JobResult:
        in_flight.append(len(store.deliveries.page(state=DeliveryState.IN_FLIGHT, limit=10)))
        return done(job)

    with dispatching(store, lambda jobs: [(job, partial(handle, job)) for job in jobs], slots=2):
        wait_until(lambda: delivered(store) == 9)

    assert max(in_flight) == 2


def test_a_stopped_dispatcher_claims_nothing_for_the_slots_that_become_free(store: Store) -> None:
    add_events(store, *map(split_event, range(9)))
    stopped = gevent.event.Event()

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        return [(job, lambda job=job: stopped.wait() and done(job)) for job in jobs]  # type: ignore[misc]

    with dispatching(store, prepare, slots=2) as dispatcher:
        wait_until(lambda: len(store.deliveries.page(state=DeliveryState.IN_FLIGHT, limit=10)) == 2)
        dispatcher.stop()
        stopped.set()

    assert delivered(store) == 2
    assert len(store.deliveries.page(state=DeliveryState.WAITING, limit=10)) == 7


def test_jobs_that_could_not_be_loaded_are_handed_back_and_handled_later(store: Store) -> None:
    add_events(store, split_event(1), split_event(2))
    failures = [StoreUnavailable("the database does not answer in time")]

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        if failures:
            raise failures.pop()
        return tasks_of(jobs)

    with dispatching(store, prepare):
        wait_until(lambda: delivered(store) == 2)


def test_an_unavailable_store_leaves_no_lease_to_renew(store: Store) -> None:
    add_events(store, split_event(1))
    prepared: list[int] = []

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        prepared.extend(job.id for job in jobs)
        raise StoreUnavailable("the database does not answer in time")

    with dispatching(store, prepare):
        wait_until(lambda: len(prepared) > 6)

    [delivery] = store.deliveries.page(limit=1)
    assert delivery.state is DeliveryState.WAITING


def test_a_job_that_cannot_be_loaded_does_not_delay_the_others(store: Store) -> None:
    add_events(store, split_event(1), split_event(2), split_event(3))
    poison = store.deliveries.page(limit=3)[1].id

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        if any(f"dlv_{job.subject}" == poison for job in jobs):
            raise KeyError(poison)
        return tasks_of(jobs)

    with dispatching(store, prepare):
        wait_until(lambda: delivered(store) == 2)
        wait_until(lambda: store.deliveries.page(state=DeliveryState.IN_FLIGHT, limit=1) == [])

    [waiting] = store.deliveries.page(state=DeliveryState.WAITING, limit=10)
    assert waiting.id == poison


def test_what_was_stored_before_an_internal_error_is_undone_and_no_claim_is_kept_if_that_fails(store: Store) -> None:
    add_events(store, split_event(1))
    undone: list[int] = []

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        if len(undone) < 4:
            raise KeyError("planted")
        return tasks_of(jobs)

    def undo(jobs: Sequence[Job]) -> None:
        undone.extend(job.id for job in jobs)
        if len(undone) < 4:
            raise StoreUnavailable("the database does not answer in time")

    with dispatching(store, prepare, undo=undo):
        wait_until(lambda: len(undone) >= 2)
        wait_until(lambda: delivered(store) == 1)
