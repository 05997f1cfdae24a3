"""Claiming, holding and settling jobs: the same facts on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.domain.delivery import DeliveryState
from app.domain.job import PRUNE_QUEUE, RECONCILE_QUEUE, SPLIT_QUEUE, TOKEN_QUEUE, WATCH_QUEUE, Dead, Done, Job, Retry
from app.domain.job_result import JobResult
from app.domain.queue import QueueDepth
from app.store import Store
from app.store.jobs import DIED, MAX_CLAIMS
from app.store.tables.schema import jobs as job_table
from app.store.tables.types import EPOCH
from tests.support.store import NOON
from tests.support.work import (
    AT_ONCE,
    CRM,
    LEASE,
    Clock,
    add_events,
    answered,
    claim,
    claim_split,
    dead,
    done,
    retry,
    split_event,
    subjects,
)

SECOND = timedelta(seconds=1)


def state(store: Store, delivery_id: str = "dlv_1") -> DeliveryState:
    delivery = store.deliveries.get(delivery_id)
    assert delivery is not None
    return delivery.state


def test_jobs_are_claimed_once_and_in_the_order_in_which_they_fell_due(store: Store) -> None:
    add_events(store, *map(split_event, "abcde"))

    assert subjects(claim(store, limit=2)) == [1, 2]
    assert subjects(claim(store, limit=2)) == [3, 4]
    assert subjects(claim(store, limit=2)) == [5]
    assert claim(store, limit=2) == []


def test_a_claimed_job_names_its_queue_and_its_subject(store: Store) -> None:
    add_events(store, split_event("a"))

    [job] = claim(store)

    assert (job.queue, job.subject, job.attempts) == (CRM, 1, 0)


def test_a_claim_gets_jobs_of_one_queue_only(store: Store) -> None:
    add_events(store, split_event("a", to=("crm", "bot")))

    assert subjects(claim(store, "deliver:bot")) == [2]
    assert subjects(claim(store, CRM)) == [1]
    assert claim(store, "deliver:nobody") == []


def test_no_more_jobs_are_in_flight_than_the_queue_allows(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "abcde"))

    first = claim(timed, max_in_flight=3)

    assert len(first) == 3
    assert claim(timed, max_in_flight=3) == []
    timed.jobs.settle([done(first[0])])
    assert subjects(claim(timed, max_in_flight=3)) == [4]
    clock.advance(LEASE)
    assert len(claim(timed, max_in_flight=3)) == 3


def test_a_job_whose_lease_has_expired_can_be_claimed_again(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    [first] = claim(timed)
    clock.advance(LEASE - SECOND)
    assert claim(timed) == []

    clock.advance(SECOND)
    [second] = claim(timed)

    assert (second.id, second.subject) == (first.id, first.subject)
    assert second.claim_id != first.claim_id


@pytest.mark.parametrize("result", [done, retry, dead])
def test_a_claim_that_was_lost_settles_nothing(timed: Store, clock: Clock, result: object) -> None:
    add_events(timed, split_event("a"))
    [stale] = claim(timed)
    clock.advance(LEASE)
    [job] = claim(timed)
    queues = timed.queues.all()

    assert timed.jobs.settle([result(stale)]) == [False]  # type: ignore[operator]

    delivery = timed.deliveries.get("dlv_1")
    assert delivery is not None
    assert (delivery.state, delivery.attempts) == (DeliveryState.IN_FLIGHT, ())
    assert timed.queues.all() == queues
    assert timed.jobs.settle([done(job)]) == [True]


def test_of_several_results_those_count_whose_claim_is_held(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "ab"))
    stale, _ = claim(timed)
    clock.advance(LEASE)
    taken, other = claim(timed)

    settled = timed.jobs.settle([dead(stale), done(other), done(taken), retry(taken), done(Job(99, CRM, 1, 0, 5))])

    assert settled == [False, True, True, False, False]
    assert [state(timed, name) for name in ("dlv_1", "dlv_2")] == [DeliveryState.DELIVERED] * 2
    assert timed.jobs.next_due_in(CRM) is None


def test_a_job_that_is_done_is_deleted_and_its_delivery_delivered(store: Store) -> None:
    add_events(store, split_event("a"))
    [job] = claim(store)

    assert store.jobs.settle([done(job)]) == [True]

    delivery = store.deliveries.get("dlv_1")
    assert delivery is not None
    assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == (
        DeliveryState.DELIVERED,
        (answered(200),),
        None,
    )
    assert store.jobs.next_due_in(CRM) is None
    assert store.jobs.settle([done(job)]) == [False]


def test_a_job_to_retry_is_due_after_the_delay(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    [job] = claim(timed)

    timed.jobs.settle([retry(job, timedelta(minutes=2))])

    delivery = timed.deliveries.get("dlv_1")
    assert delivery is not None
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, (answered(503),))
    assert delivery.next_attempt_at == NOON + timedelta(minutes=2)
    assert timed.jobs.next_due_in(CRM) == 120
    clock.advance(timedelta(minutes=2) - SECOND)
    assert claim(timed) == []
    clock.advance(SECOND)
    assert [job.attempts for job in claim(timed)] == [1]


def test_a_dead_job_is_deleted_and_its_delivery_dead(store: Store) -> None:
    add_events(store, split_event("a"))
    [job] = claim(store)

    store.jobs.settle([dead(job)])

    assert state(store) is DeliveryState.DEAD
    assert store.jobs.next_due_in(CRM) is None


def test_a_delivery_that_is_dead_without_a_post_has_an_attempt_with_the_reason(timed: Store) -> None:
    add_events(timed, split_event("a"))
    [job] = claim(timed)

    timed.jobs.settle([JobResult(job, Dead("the event is too large"))])

    delivery = timed.deliveries.get("dlv_1")
    assert delivery is not None
    assert [(attempt.at, attempt.error) for attempt in delivery.attempts] == [(NOON, "the event is too large")]


def test_a_renewed_lease_ends_later(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    jobs = claim(timed)
    clock.advance(LEASE - SECOND)

    assert timed.jobs.renew(jobs, LEASE) == {jobs[0].id}

    clock.advance(LEASE - SECOND)
    assert claim(timed) == []
    assert timed.jobs.settle([done(jobs[0])]) == [True]


def test_only_claims_that_are_still_held_are_renewed(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "abc"))
    lost, kept, ended = claim(timed)
    timed.jobs.settle([done(ended)])
    clock.advance(LEASE)
    claim(timed, limit=1)

    assert timed.jobs.renew([lost, kept, ended], LEASE) == {kept.id}
    assert timed.jobs.renew([], LEASE) == set()


def test_a_job_that_is_handed_back_is_due_now_and_its_claim_does_not_count(timed: Store) -> None:
    add_events(timed, *map(split_event, "ab"))
    for _ in range(MAX_CLAIMS * 2):
        timed.jobs.hand_back(claim(timed))

    assert subjects(claim(timed)) == [1, 2]
    assert state(timed) is DeliveryState.IN_FLIGHT


def test_a_claim_that_was_lost_is_not_handed_back(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    stale = claim(timed)
    clock.advance(LEASE)
    taken = claim(timed)

    timed.jobs.hand_back(stale)

    assert claim(timed) == []
    assert timed.jobs.settle([done(taken[0])]) == [True]


def test_a_job_whose_workers_died_five_times_is_dead(timed: Store, clock: Clock) -> None:
    add_events(timed, *(split_event(name, order_key=1) for name in "ab"))
    for _ in range(MAX_CLAIMS):
        assert subjects(claim(timed)) == [1]
        clock.advance(LEASE)

    assert claim(timed) == []

    delivery = timed.deliveries.get("dlv_1")
    assert delivery is not None
    assert delivery.state is DeliveryState.DEAD
    assert [attempt.error for attempt in delivery.attempts] == [DIED]
    assert subjects(claim(timed)) == [2]


def test_a_job_that_is_settled_in_between_never_dies_of_its_claims(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    for _ in range(3):
        for _ in range(MAX_CLAIMS - 1):
            claim(timed)
            clock.advance(LEASE)
        [job] = claim(timed)
        timed.jobs.settle([JobResult(job, Retry(AT_ONCE))])

    assert [job.attempts for job in claim(timed)] == [3]


@pytest.mark.parametrize("queue", [SPLIT_QUEUE, PRUNE_QUEUE])
def test_a_singleton_job_is_never_deleted(timed: Store, clock: Clock, queue: str) -> None:
    for _ in range(MAX_CLAIMS * 2):
        assert len(claim(timed, queue)) == 1
        clock.advance(LEASE)

    for outcome in (Retry(AT_ONCE), Done(), Dead("for good"), Retry(AT_ONCE)):
        [job] = claim(timed, queue)
        assert (job.subject, job.attempts) == (0, 0)
        assert timed.jobs.settle([JobResult(job, outcome)]) == [True]


def test_a_singleton_job_waits_for_the_delay_of_its_result(timed: Store, clock: Clock) -> None:
    [job] = claim(timed, PRUNE_QUEUE)
    timed.jobs.settle([JobResult(job, Retry(timedelta(hours=1)))])

    assert timed.jobs.next_due_in(PRUNE_QUEUE) == 3600
    clock.advance(timedelta(hours=1))
    assert len(claim(timed, PRUNE_QUEUE)) == 1


def test_only_one_worker_splits(store: Store) -> None:
    claim_split(store)

    assert claim(store, SPLIT_QUEUE, max_in_flight=1) == []


def test_the_next_due_time_is_when_a_job_can_be_claimed(timed: Store, clock: Clock) -> None:
    assert timed.jobs.next_due_in(CRM) is None
    add_events(timed, *map(split_event, "ab"))
    assert timed.jobs.next_due_in(CRM) == 0

    first, second = claim(timed)
    timed.jobs.settle([retry(second, timedelta(hours=1))])

    assert timed.jobs.next_due_in(CRM) == LEASE.total_seconds()
    timed.jobs.settle([done(first)])
    assert timed.jobs.next_due_in(CRM) == 3600
    clock.advance(timedelta(hours=2))
    assert timed.jobs.next_due_in(CRM) == -3600


def test_depths_count_what_waits_and_what_is_in_flight(timed: Store, clock: Clock) -> None:
    timed.write(lambda c: c.execute(update(job_table).where(job_table.c.queue == TOKEN_QUEUE).values(due_at=EPOCH)))
    add_events(timed, *map(split_event, "abc"), *(split_event(name, to=("bot",), order_key=1) for name in "xyz"))
    claim(timed, limit=1)
    claim(timed, "deliver:bot")
    clock.advance(LEASE - SECOND)
    claim(timed, limit=1)

    assert timed.jobs.depths() == [
        QueueDepth("deliver:bot", waiting=2, in_flight=1, oldest_due_at=NOON + LEASE),
        QueueDepth(CRM, waiting=1, in_flight=2, oldest_due_at=NOON),
        QueueDepth(PRUNE_QUEUE, waiting=1, in_flight=0, oldest_due_at=EPOCH),
        QueueDepth(RECONCILE_QUEUE, waiting=1, in_flight=0, oldest_due_at=EPOCH),
        QueueDepth(SPLIT_QUEUE, waiting=1, in_flight=0, oldest_due_at=NOON),
        QueueDepth(TOKEN_QUEUE, waiting=1, in_flight=0, oldest_due_at=EPOCH),
        QueueDepth(WATCH_QUEUE, waiting=1, in_flight=0, oldest_due_at=EPOCH),
    ]
    clock.advance(SECOND)
    assert [depth.in_flight for depth in timed.jobs.depths()] == [0, 1, 0, 0, 0, 0, 0]


def test_hundreds_are_claimed_renewed_and_settled_at_once(store: Store) -> None:
    add_events(store, *(split_event(number) for number in range(1200)))

    jobs = claim(store, max_in_flight=1200, limit=1200)

    assert subjects(jobs) == list(range(1, 1201))
    assert store.jobs.renew(jobs, LEASE) == {job.id for job in jobs}
    assert store.jobs.settle([done(job) for job in jobs]) == [True] * 1200
    assert store.jobs.next_due_in(CRM) is None
