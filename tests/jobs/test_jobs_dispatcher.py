"""A dispatcher goes on, whatever goes wrong on the way from a claim to a task: no claimed job is held for nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import gevent
import pytest

from app.domain.delivery import DeliveryState
from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.gateway import Gateway
from app.jobs.dispatcher import Dispatcher
from app.jobs.executor import Executor
from app.jobs.leases import Leases
from app.jobs.queue import Queue, Task
from app.jobs.settlement_batcher import SettlementBatcher
from app.store import Store, StoreUnavailable
from tests.support.work import CRM, LEASE, done, found, put_in

DEADLINE_SECONDS = 20


@pytest.fixture
def store(gateway: Gateway) -> Store:
    return gateway.store


def tasks_of(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
    return [(job, lambda job=job: done(job)) for job in jobs]  # type: ignore[misc]


def nobody_watches(_point: str) -> None:
    """No process is killed here."""


class CountingLeases(Leases):
    """Knows how many jobs were claimed in a transaction of their own."""

    claimed_apart = 0

    def claim(self, wanted: ClaimRequest) -> list[Job]:
        jobs = super().claim(wanted)
        self.claimed_apart += len(jobs)
        return jobs


@contextmanager
def dispatching(
    store: Store,
    prepare: Callable[[Sequence[Job]], list[tuple[Job, Task]]],
    *,
    slots: int = 8,
    leases: Leases | None = None,
) -> Iterator[Dispatcher]:
    leases = leases or Leases(store, LEASE)
    batcher = SettlementBatcher(leases)
    executor = Executor(leases, batcher, nobody_watches)
    dispatcher = Dispatcher(
        Queue(CRM, 8, prepare), store=store, leases=leases, executor=executor, slots=slots, may_work=lambda: True
    )
    batcher.join(CRM, dispatcher)
    running = gevent.spawn(dispatcher.run)
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        running.join(DEADLINE_SECONDS)
        dispatcher.join()
        batcher.close()


def wait_until(holds: Callable[[], bool]) -> None:
    with gevent.Timeout(DEADLINE_SECONDS):
        while not holds():
            gevent.sleep(0.01)


def delivered(store: Store) -> int:
    return len(store.deliveries.page(state=DeliveryState.DELIVERED, limit=10))


def test_what_ends_makes_room_for_the_next_in_the_same_transaction(store: Store) -> None:
    put_in(store, *map(found, range(9)))
    leases = CountingLeases(store, LEASE)
    flying: list[int] = []

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        gevent.sleep(0.05)  # meanwhile the slots of those that ended look free
        flying.append(len(store.deliveries.page(state=DeliveryState.IN_FLIGHT, limit=10)))
        return tasks_of(jobs)

    with dispatching(store, prepare, slots=2, leases=leases):
        wait_until(lambda: delivered(store) == 9)

    assert max(flying) == 2
    assert leases.claimed_apart < 9


def test_jobs_claimed_for_those_that_ended_are_given_back_if_they_cannot_be_loaded(store: Store) -> None:
    put_in(store, *map(found, range(9)))
    answers = [None, StoreUnavailable("the database does not answer in time")]

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        if answers and (failure := answers.pop(0)):
            raise failure
        return tasks_of(jobs)

    with dispatching(store, prepare, slots=2):
        wait_until(lambda: delivered(store) == 9)

    assert not answers


def test_nothing_more_is_claimed_for_what_ends_after_a_stop(store: Store) -> None:
    put_in(store, *map(found, range(9)))
    stopped = gevent.event.Event()

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        return [(job, lambda job=job: stopped.wait() and done(job)) for job in jobs]  # type: ignore[misc]

    with dispatching(store, prepare, slots=2) as dispatcher:
        wait_until(lambda: len(store.deliveries.page(state=DeliveryState.IN_FLIGHT, limit=10)) == 2)
        dispatcher.stop()
        stopped.set()

    assert delivered(store) == 2
    assert len(store.deliveries.page(state=DeliveryState.WAITING, limit=10)) == 7


def test_jobs_that_could_not_be_loaded_are_given_back_and_done_later(store: Store) -> None:
    put_in(store, found(1), found(2))
    failures = [StoreUnavailable("the database does not answer in time")]

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        if failures:
            raise failures.pop()
        return tasks_of(jobs)

    with dispatching(store, prepare):
        wait_until(lambda: delivered(store) == 2)


def test_a_store_that_stays_away_leaves_no_lease_that_is_renewed_for_nothing(store: Store) -> None:
    put_in(store, found(1))
    tried: list[int] = []

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        tried.extend(job.id for job in jobs)
        raise StoreUnavailable("the database does not answer in time")

    with dispatching(store, prepare):
        wait_until(lambda: len(tried) > 6)

    [delivery] = store.deliveries.page(limit=1)
    assert delivery.state is DeliveryState.WAITING


def test_a_job_on_which_the_loading_fails_does_not_hold_up_the_others(store: Store) -> None:
    put_in(store, found(1), found(2), found(3))
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
