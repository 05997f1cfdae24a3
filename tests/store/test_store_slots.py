"""Jobs that are claimed ahead share the slots of their queue: one is in flight in each slot, over all workers."""

from datetime import timedelta

from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.store import Store
from app.store.jobs import MAX_CLAIMS
from tests.support.store import NOON
from tests.support.work import CRM, LEASE, Clock, add_events, claim, done, retry, split_event, subjects

SECOND = timedelta(seconds=1)


def claim_ahead(
    store: Store, *, slots: int, held: list[Job] | None = None, max_in_flight: int = 8, limit: int = 100
) -> list[Job]:
    """Claim as a worker that uses this many slots, and holds the claims of these jobs."""
    numbers = tuple(dict.fromkeys(job.slot for job in held or ()))
    return store.jobs.claim(ClaimRequest(CRM, max_in_flight, limit, slots, numbers), LEASE)


def slots_of(jobs: list[Job]) -> set[int]:
    return {job.slot for job in jobs}


def test_jobs_claimed_ahead_are_spread_over_the_slots_in_the_order_in_which_they_fell_due(store: Store) -> None:
    add_events(store, *map(split_event, range(10)))

    first = claim_ahead(store, slots=3, limit=3)
    more = claim_ahead(store, slots=3, held=first, limit=6)

    assert [job.subject for job in [*first, *more]] == list(range(1, 10))
    assert len(slots_of(first)) == 3
    assert [job.slot for job in more] == [job.slot for job in first] * 2


def test_a_claim_of_no_jobs_gets_none(store: Store) -> None:
    add_events(store, split_event("a"), split_event("b"))

    assert claim_ahead(store, slots=2, limit=0) == []
    assert claim_ahead(store, slots=2, limit=-1) == []


def test_each_claim_has_a_fence_of_its_own(store: Store) -> None:
    add_events(store, *map(split_event, range(9)))

    jobs = claim_ahead(store, slots=2, limit=9)

    assert len({job.claim_id for job in jobs}) == 9
    assert len(slots_of(jobs)) == 2


def test_two_workers_share_the_only_slot_of_a_queue(store: Store) -> None:
    add_events(store, *map(split_event, range(6)))

    jobs = claim_ahead(store, slots=8, max_in_flight=1, limit=3)

    assert len(slots_of(jobs)) == 1
    for job in jobs:
        assert claim_ahead(store, slots=8, max_in_flight=1) == []
        assert claim(store, max_in_flight=1) == []
        store.jobs.settle([done(job)])
    assert subjects(claim_ahead(store, slots=8, max_in_flight=1)) == [4, 5, 6]


def test_a_worker_gets_the_slots_that_another_one_leaves(store: Store) -> None:
    add_events(store, *map(split_event, range(20)))

    one = claim_ahead(store, slots=2, max_in_flight=3, limit=6)
    other = claim_ahead(store, slots=8, max_in_flight=3, limit=6)

    assert [len(slots_of(jobs)) for jobs in (one, other)] == [2, 1]
    assert slots_of(one).isdisjoint(slots_of(other))


def test_a_worker_gets_no_more_slots_than_it_uses(store: Store) -> None:
    add_events(store, *map(split_event, range(9)))
    first = claim_ahead(store, slots=4, limit=2)

    more = claim_ahead(store, slots=4, held=first)

    assert len(slots_of([*first, *more])) == 4


def test_the_slots_of_a_dead_worker_are_free_once_its_leases_have_expired(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, range(4)))
    claim_ahead(timed, slots=2, max_in_flight=2)
    clock.advance(LEASE - SECOND)
    assert claim_ahead(timed, slots=2, max_in_flight=2) == []

    clock.advance(SECOND)

    assert len(slots_of(claim_ahead(timed, slots=2, max_in_flight=2))) == 2


def test_jobs_that_may_have_killed_their_worker_are_not_claimed_ahead(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, range(6)))
    assert len(claim_ahead(timed, slots=2)) == 6
    clock.advance(LEASE)

    suspects = claim_ahead(timed, slots=2)

    assert subjects(suspects) == [1, 2]
    assert claim_ahead(timed, slots=2, held=suspects) == []
    timed.jobs.settle([done(job) for job in suspects])
    assert subjects(claim_ahead(timed, slots=2)) == [3, 4]


def test_only_a_job_that_kills_its_workers_is_dead(timed: Store, clock: Clock) -> None:
    """A worker has claimed others ahead each time it dies; they were never in flight."""
    add_events(timed, *map(split_event, range(30)))
    for _ in range(MAX_CLAIMS):
        while 1 not in subjects(jobs := claim_ahead(timed, slots=1)):
            timed.jobs.settle([done(job) for job in jobs])
        clock.advance(LEASE)
    while jobs := claim_ahead(timed, slots=1):
        timed.jobs.settle([done(job) for job in jobs])

    assert [delivery.id for delivery in timed.deliveries.page(limit=50) if delivery.state.value != "delivered"] == [
        "dlv_1"
    ]


def test_nothing_is_claimed_ahead_after_a_failure(store: Store) -> None:
    add_events(store, *map(split_event, range(20)))
    first = claim_ahead(store, slots=2, limit=6)
    store.jobs.settle([retry(first[0])])

    assert claim_ahead(store, slots=2, held=first[1:]) == []
    assert len(claim_ahead(store, slots=3, held=first[1:])) == 1
    store.jobs.settle([done(first[1])])
    assert len(claim_ahead(store, slots=3, held=first[2:])) > 3


def test_a_job_that_is_handed_back_keeps_its_place_before_the_others(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    clock.advance(SECOND)
    add_events(timed, split_event("b"))
    first = claim(timed, limit=1)

    timed.jobs.hand_back(first)

    assert timed.jobs.next_due_in(CRM) == -1
    [again] = claim(timed, limit=1)
    assert (again.subject, again.due_at) == (1, NOON)
