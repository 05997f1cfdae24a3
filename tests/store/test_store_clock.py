"""A clock that was ahead by an hour or a day and is set right, or jumps ahead; the same on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.breaker import FAILURES_TO_OPEN
from app.domain.clock import CLOCK_TOLERANCE, ClockJump
from app.domain.clock_trust import DOUBT_AFTER_JUMP, NO_DOUBT
from app.domain.job import PRUNE_EVERY, PRUNE_QUEUE, SPLIT_QUEUE, Retry
from app.domain.job_result import JobResult
from app.domain.retry import PAUSES, pause_after
from app.store import Store
from app.store.transactions.pull_back_jobs import STEP
from tests.support.messages import accept, new_message, webhook
from tests.support.sends import LIMITS, QUEUE, accepted, queued, send, stored, waiting
from tests.support.store import NOON, heartbeat
from tests.support.work import CRM, LEASE, Clock, add_events, claim, done, retry, split_event, subjects

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHIFTS = pytest.mark.parametrize("shift", [HOUR, DAY], ids=["hour", "day"])
FIRST_PAUSE = pause_after(0, jitter=0.5)


@SHIFTS
def test_splitting_goes_on_once_the_clock_is_set_right(timed: Store, clock: Clock, shift: timedelta) -> None:
    clock.advance(shift)
    add_events(timed, split_event("a"))
    clock.advance(-shift)
    stands_still = claim(timed, SPLIT_QUEUE) == []

    excess = timed.clock.pull_back(SPLIT_QUEUE, LEASE)

    assert stands_still
    assert excess == shift
    assert len(claim(timed, SPLIT_QUEUE)) == 1


@SHIFTS
def test_deliveries_and_retries_are_due_once_the_clock_is_set_right(
    timed: Store, clock: Clock, shift: timedelta
) -> None:
    clock.advance(shift)
    add_events(timed, *map(split_event, "abc"))
    timed.jobs.settle([retry(job, FIRST_PAUSE) for job in claim(timed, limit=1)])
    clock.advance(-shift)
    stand_still = claim(timed) == []

    timed.clock.pull_back(CRM, LEASE)

    assert stand_still
    assert subjects(claim(timed)) == [1, 2, 3]


@SHIFTS
def test_the_lease_of_a_dead_worker_ends_once_the_clock_is_set_right(
    timed: Store, clock: Clock, shift: timedelta
) -> None:
    add_events(timed, split_event("a"))
    clock.advance(shift)
    claim(timed)
    claim(timed, SPLIT_QUEUE)
    clock.advance(-shift)

    for queue in (CRM, SPLIT_QUEUE):
        timed.clock.pull_back(queue, LEASE)

    assert claim(timed) == claim(timed, SPLIT_QUEUE) == []
    clock.advance(LEASE)
    assert len(claim(timed)) == len(claim(timed, SPLIT_QUEUE)) == 1


@SHIFTS
def test_a_live_worker_keeps_the_claim_that_it_made_under_a_clock_ahead(
    timed: Store, clock: Clock, shift: timedelta
) -> None:
    add_events(timed, split_event("a"))
    clock.advance(shift)
    jobs = claim(timed)
    clock.advance(-shift)

    timed.clock.pull_back(CRM, LEASE)

    assert timed.jobs.renew(jobs, LEASE) == {jobs[0].id}
    assert timed.jobs.settle([done(jobs[0])]) == [True]


@SHIFTS
def test_a_breaker_probes_at_once_when_the_clock_is_set_right(timed: Store, clock: Clock, shift: timedelta) -> None:
    clock.advance(shift)
    add_events(timed, *(split_event(number) for number in range(FAILURES_TO_OPEN)))
    timed.jobs.settle([retry(job, FIRST_PAUSE) for job in claim(timed)])
    clock.advance(-shift)
    timed.clock.pull_back(CRM, LEASE)

    [probe] = claim(timed)
    timed.jobs.settle([retry(probe, FIRST_PAUSE)])

    due = timed.jobs.next_due_in(CRM)
    assert due is not None
    assert 0 < due < 60
    assert claim(timed) == []


@SHIFTS
def test_a_clock_that_jumps_ahead_stops_nothing(timed: Store, clock: Clock, shift: timedelta) -> None:
    add_events(timed, *map(split_event, "abc"))
    timed.jobs.settle([retry(job, FIRST_PAUSE) for job in claim(timed, limit=1)])
    claim(timed, limit=1)

    clock.advance(shift)

    assert [timed.clock.pull_back(queue, LEASE) for queue in (CRM, SPLIT_QUEUE, PRUNE_QUEUE)] == [timedelta()] * 3
    assert sorted(subjects(claim(timed))) == [1, 2, 3]
    assert len(claim(timed, SPLIT_QUEUE)) == 1


def test_what_waits_no_longer_than_it_may_is_left(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "abc"))
    [first, second, _] = claim(timed)
    timed.jobs.settle([retry(first, pause_after(0, jitter=1))])
    timed.jobs.settle([retry(second, DAY, retry_after=DAY)])
    [prune] = claim(timed, PRUNE_QUEUE)
    timed.jobs.settle([JobResult(prune, Retry(PRUNE_EVERY))])
    before = [timed.deliveries.get(f"dlv_{number}") for number in (1, 2, 3)]

    excess = [timed.clock.pull_back(queue, LEASE) for queue in (CRM, PRUNE_QUEUE, SPLIT_QUEUE)]

    assert excess == [timedelta()] * 3
    assert [timed.deliveries.get(f"dlv_{number}") for number in (1, 2, 3)] == before
    assert timed.jobs.next_due_in(PRUNE_QUEUE) == PRUNE_EVERY.total_seconds()


@pytest.mark.parametrize("attempts", [1, 5, len(PAUSES)])
def test_a_retry_is_pulled_back_as_soon_as_it_lies_beyond_its_own_pause(
    timed: Store, clock: Clock, attempts: int
) -> None:
    add_events(timed, split_event("a"))
    for number in range(attempts):
        [job] = claim(timed)
        timed.jobs.settle([JobResult(job, Retry(pause_after(number, jitter=1)))])
        clock.advance(pause_after(number, jitter=1))
    clock.advance(-pause_after(attempts - 1, jitter=1) - CLOCK_TOLERANCE)
    within = timed.clock.pull_back(CRM, LEASE)

    clock.advance(-timedelta(seconds=1))

    assert within == timedelta()
    assert timed.clock.pull_back(CRM, LEASE) > timedelta()
    assert len(claim(timed)) == 1


def test_more_jobs_than_one_step_looks_at_are_pulled_back(timed: Store, clock: Clock) -> None:
    add_events(timed, *(split_event(number) for number in range(STEP + 10)))
    waiting = claim(timed, max_in_flight=STEP, limit=STEP)
    timed.jobs.settle([JobResult(job, Retry(FIRST_PAUSE)) for job in waiting])
    clock.advance(-HOUR)

    excess = timed.clock.pull_back(CRM, LEASE)

    assert excess == HOUR
    assert len(claim(timed, max_in_flight=2 * STEP, limit=2 * STEP)) == STEP + 10


def test_a_singleton_job_shows_that_the_clock_was_set_back(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    sound = timed.clock.is_singleton_job_ahead(LEASE)

    clock.advance(-HOUR)

    assert not sound
    assert timed.clock.is_singleton_job_ahead(LEASE)


def test_the_last_jump_is_remembered(timed: Store) -> None:
    jumps = [timed.clock.last_jump()]
    for jump in (ClockJump(NOON, -93_600), ClockJump(NOON + HOUR, 3600)):
        timed.clock.record_jump(jump)
        jumps.append(timed.clock.last_jump())

    assert jumps == [None, ClockJump(NOON, -93_600), ClockJump(NOON + HOUR, 3600)]


@SHIFTS
def test_the_heartbeat_of_a_dead_worker_says_nothing_once_the_clock_is_set_right(
    timed: Store, clock: Clock, shift: timedelta
) -> None:
    clock.advance(shift)
    timed.heartbeats.beat(heartbeat("dead:1"))
    clock.advance(-shift)
    [from_the_future] = timed.heartbeats.of_kind("worker")

    timed.heartbeats.beat(heartbeat("alive:1"))

    assert not from_the_future.is_fresh(timed.clock.now())
    assert [beat.process for beat in timed.heartbeats.of_kind("worker")] == ["alive:1"]


@pytest.fixture
def watched(timed: Store) -> Store:
    """A store whose clock a worker has just looked at."""
    timed.clock.see(NO_DOUBT)
    return timed


def watch_for(store: Store, clock: Clock, time: timedelta) -> None:
    """Let time pass, of which a worker sees every minute."""
    for _ in range(time // MINUTE):
        clock.advance(MINUTE)
        store.clock.see(NO_DOUBT)


def test_a_message_does_not_expire_on_the_word_of_a_clock_that_has_jumped(watched: Store, clock: Clock) -> None:
    [message] = queued(watched, lifetime=2 * HOUR)
    clock.advance(8 * DAY)
    unseen = send(watched, accepted())
    between = stored(watched, message).status
    watched.clock.see(DOUBT_AFTER_JUMP)
    clock.advance(MINUTE)
    seen = send(watched, accepted())

    clock.advance(-8 * DAY)
    watched.clock.see(DOUBT_AFTER_JUMP)
    watched.clock.pull_back(QUEUE, LEASE)

    assert (unseen, between, seen) == (0, "queued", 0)
    assert send(watched, accepted()) == 1
    assert stored(watched, message).status == "accepted"


def test_a_message_expires_by_a_clock_that_was_right_after_all(watched: Store, clock: Clock) -> None:
    [message] = queued(watched, lifetime=2 * HOUR)
    clock.advance(8 * DAY)
    watched.clock.see(DOUBT_AFTER_JUMP)
    watch_for(watched, clock, DOUBT_AFTER_JUMP - MINUTE)
    doubted = send(watched, accepted()), stored(watched, message).status

    watch_for(watched, clock, 2 * MINUTE)
    send(watched, accepted())

    assert doubted == (0, "queued")
    assert (stored(watched, message).status, waiting(watched)) == ("expired", 0)


def test_a_message_expires_in_time_that_a_worker_has_watched(watched: Store, clock: Clock) -> None:
    [message] = queued(watched, lifetime=10 * MINUTE)
    watch_for(watched, clock, 10 * MINUTE)

    send(watched, accepted())

    assert stored(watched, message).status == "expired"


def test_a_window_is_not_closed_by_a_clock_that_has_jumped(watched: Store, clock: Clock) -> None:
    written = {"id": "wamid.1", "from": "4915112345678", "timestamp": str(int(NOON.timestamp())), "type": "text"}
    add_events(watched, *webhook(messages=[{**written, "text": {"body": "hi"}}]))
    [message] = accept(watched, new_message(to="+4915112345678", lifetime=30 * DAY))
    clock.advance(8 * DAY)
    strict = replace(LIMITS, window_policy="enforce")

    doubted = send(watched, accepted(), limits=strict), stored(watched, message).status
    clock.advance(-8 * DAY)
    watched.clock.pull_back(QUEUE, LEASE)

    assert doubted == (0, "queued")
    assert send(watched, accepted(), limits=strict) == 1


def test_a_key_is_not_free_on_the_word_of_a_clock_that_has_jumped(watched: Store, clock: Clock) -> None:
    first = [accept(watched, new_message("hi", key="k"))[0].id]
    clock.advance(8 * DAY)
    repeats = [accept(watched, new_message("hi", key="k"))[0].id]
    watched.clock.see(DOUBT_AFTER_JUMP)
    repeats += [accept(watched, new_message("hi", key="k"))[0].id]

    watch_for(watched, clock, DOUBT_AFTER_JUMP)
    later = [accept(watched, new_message("hi", key="k"))[0].id]

    assert repeats == 2 * first
    assert later != first


def test_a_repeat_that_its_window_forbids_finds_its_message_while_the_clock_is_doubted(
    watched: Store, clock: Clock
) -> None:
    [first] = accept(watched, new_message("hi", key="k"))
    clock.advance(8 * DAY)
    forbidden = new_message("hi", key="k")._replace(window_policy="enforce")
    written = {"id": "wamid.1", "from": "4915112345678", "timestamp": str(int(NOON.timestamp())), "type": "text"}
    add_events(watched, *webhook(messages=[{**written, "text": {"body": "hi"}}]))

    [repeat] = accept(watched, forbidden)

    assert repeat.id == first.id
