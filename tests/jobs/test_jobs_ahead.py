"""A dispatcher claims jobs ahead of those in flight, and gives up at once what it should not start any more."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import gevent
import pytest
from gevent.event import Event

from app.domain.delivery import DeliveryState
from app.domain.job import Job
from app.domain.job_result import JobResult
from app.gateway import Gateway
from app.jobs.dispatcher import Dispatcher
from app.jobs.executor import Executor
from app.jobs.leases import Leases
from app.jobs.pace import Pace
from app.jobs.queue import Queue, Task
from app.store import GroupCommit, Store
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.work import CRM, LEASE, add_events, done, retry, split_event

AHEAD = 12

Handle = Callable[[Job], JobResult]

wait_until = partial(wait_for, sleep=gevent.sleep)
"""Wait while the greenlets of this process go on."""


@pytest.fixture
def store(gateway: Gateway) -> Store:
    return gateway.store


class SteadyPace(Pace):
    """Claims the same number of jobs ahead on any machine."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = AHEAD

    def measure(self, slots: int) -> None:
        self.ahead = AHEAD


class ShrinkingPace(SteadyPace):
    """Claims nothing ahead after each claim that did."""

    def measure(self, slots: int) -> None:
        self.ahead = 0 if self.ahead else AHEAD


class NothingAhead(SteadyPace):
    """Claims nothing ahead, as while jobs take long."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def measure(self, slots: int) -> None:
        self.ahead = 0


@contextmanager
def dispatching(
    store: Store,
    handle: Handle,
    *,
    queue: dict[str, object],
    slots: int,
    pace: type[SteadyPace] = SteadyPace,
    claimed: list[int] | None = None,
    poll_seconds: float = 0.1,
) -> Iterator[Dispatcher]:
    """Run a worker's dispatcher until the block ends. `claimed` gets the number of jobs of each claim."""

    def prepare(jobs: Sequence[Job]) -> list[tuple[Job, Task]]:
        if claimed is not None:
            claimed.append(len(jobs))
        return [(job, partial(handle, job)) for job in jobs]

    leases, settlements = Leases(store, LEASE), GroupCommit(store.jobs.settle_batch)
    dispatcher = Dispatcher(
        Queue(CRM, prepare=prepare, ahead=True, **{"max_in_flight": 8, **queue}),  # type: ignore[arg-type]
        store=store,
        leases=leases,
        executor=Executor(store, leases, settlements, lambda _: None),
        slots=slots,
        may_work=lambda: True,
        poll_seconds=poll_seconds,
        pace=pace(),
    )
    running = gevent.spawn(dispatcher.run)
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        running.join(DEADLINE_SECONDS)
        dispatcher.join()
        settlements.close()


def count(store: Store, state: DeliveryState) -> int:
    return len(store.deliveries.page(state=state, limit=500))


class Concurrency:
    """Jobs that take a moment, and how many of them were in flight at a time at most, for each order key."""

    def __init__(self) -> None:
        self.in_flight: dict[object, int] = defaultdict(int)
        self.most: dict[object, int] = defaultdict(int)
        self.handled: list[int] = []

    def handle(self, job: Job, key: object = None) -> JobResult:
        self.in_flight[key] += 1
        self.most[key] = max(self.most[key], self.in_flight[key])
        gevent.sleep(0.001)
        self.in_flight[key] -= 1
        self.handled.append(job.subject)
        return done(job)


def test_a_backlog_is_claimed_ahead_and_never_more_jobs_are_in_flight_than_slots(store: Store) -> None:
    add_events(store, *map(split_event, range(60)))
    concurrency, claimed = Concurrency(), []

    def handle(job: Job) -> JobResult:
        claimed.append(count(store, DeliveryState.IN_FLIGHT))
        return concurrency.handle(job)

    with dispatching(store, handle, queue={}, slots=2):
        wait_until(lambda: count(store, DeliveryState.DELIVERED) == 60)

    assert concurrency.most[None] == 2
    assert max(claimed) > 2
    assert sorted(concurrency.handled) == list(range(1, 61))


def test_no_more_is_claimed_than_there_is_room_for_when_the_pace_falls(store: Store) -> None:
    add_events(store, *map(split_event, range(60)))
    concurrency, claimed = Concurrency(), list[int]()

    with dispatching(store, concurrency.handle, queue={}, slots=2, pace=ShrinkingPace, claimed=claimed):
        wait_until(lambda: count(store, DeliveryState.DELIVERED) == 60)

    assert max(claimed) <= 2 + AHEAD
    assert sorted(concurrency.handled) == list(range(1, 61))


def test_two_workers_never_have_more_than_the_queue_allows_in_flight(store: Store) -> None:
    add_events(store, *map(split_event, range(60)))
    concurrency = Concurrency()

    with ExitStack() as workers:
        for _ in range(2):
            workers.enter_context(dispatching(store, concurrency.handle, queue={"max_in_flight": 1}, slots=8))
        wait_until(lambda: count(store, DeliveryState.DELIVERED) == 60)

    assert concurrency.most[None] == 1
    assert sorted(concurrency.handled) == list(range(1, 61))


def test_each_conversation_is_handled_in_order_one_job_at_a_time(store: Store) -> None:
    add_events(store, *(split_event(number, order_key=number % 5) for number in range(60)))
    concurrency = Concurrency()

    with dispatching(store, lambda job: concurrency.handle(job, job.subject % 5), queue={"ordered": True}, slots=8):
        wait_until(lambda: count(store, DeliveryState.DELIVERED) == 60)

    assert set(concurrency.most.values()) == {1}
    for key in range(5):
        in_conversation = [subject for subject in concurrency.handled if subject % 5 == key]
        assert in_conversation == sorted(in_conversation)


def test_what_waits_behind_a_job_that_hangs_is_handled_in_other_slots(store: Store) -> None:
    add_events(store, *map(split_event, range(60)))
    hanging = Event()

    def handle(job: Job) -> JobResult:
        if job.subject == 1:
            hanging.wait()
        return done(job)

    with dispatching(store, handle, queue={}, slots=2):
        wait_until(lambda: count(store, DeliveryState.DELIVERED) == 59)
        hanging.set()

    assert count(store, DeliveryState.DELIVERED) == 60


@pytest.mark.parametrize("hanging", [0, 2])
def test_the_only_slot_that_is_left_goes_on_as_soon_as_its_job_is_done(store: Store, hanging: int) -> None:
    add_events(store, *map(split_event, range(20)))
    released = Event()

    def handle(job: Job) -> JobResult:
        if job.subject <= hanging:
            released.wait()
        return done(job)

    never = 10 * DEADLINE_SECONDS
    with dispatching(store, handle, queue={}, slots=hanging + 1, pace=NothingAhead, poll_seconds=never):
        wait_until(lambda: count(store, DeliveryState.DELIVERED) == 20 - hanging)
        released.set()

    assert count(store, DeliveryState.DELIVERED) == 20


def test_a_queue_that_fails_uses_up_no_attempts_of_the_jobs_that_were_claimed_ahead(store: Store) -> None:
    add_events(store, *map(split_event, range(60)))
    attempted: list[int] = []

    def handle(job: Job) -> JobResult:
        attempted.append(job.subject)
        return retry(job)

    with dispatching(store, handle, queue={}, slots=2):
        wait_until(lambda: store.queues.all()[0].breaker.is_open)
        wait_until(lambda: count(store, DeliveryState.IN_FLIGHT) == 0)

    assert 5 <= len(attempted) <= 6
    assert count(store, DeliveryState.WAITING) == 60
    assert sum(len(delivery.attempts) for delivery in store.deliveries.page(limit=500)) == len(attempted)


def test_a_worker_that_stops_hands_back_at_once_what_it_has_not_started(store: Store) -> None:
    add_events(store, *map(split_event, range(10)))
    released = Event()

    def handle(job: Job) -> JobResult:
        released.wait()
        return done(job)

    with dispatching(store, handle, queue={}, slots=2) as dispatcher:
        wait_until(lambda: count(store, DeliveryState.IN_FLIGHT) > 2)
        dispatcher.stop()
        wait_until(lambda: count(store, DeliveryState.IN_FLIGHT) == 2)
        released.set()

    assert count(store, DeliveryState.DELIVERED) == 2
    assert count(store, DeliveryState.WAITING) == 8
