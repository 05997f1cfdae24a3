"""Queues: paused, disabled, stopped by the breaker, and what is logged; the same facts on SQLite and PostgreSQL."""

import logging
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import Connection

from app.domain.breaker import FAILURES_TO_OPEN, MAX_PAUSE, Breaker
from app.domain.destination import queue_of_destination
from app.domain.job import Job, Retry
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.queue import QueueState
from app.domain.timestamps import iso
from app.store import Store
from app.store.queues import STEP
from app.store.tables.queues import lock_queues
from tests.support.postgres import some_session_waits_for_a_lock
from tests.support.store import NOON, Databases, StoreMaker
from tests.support.waiting import wait_for
from tests.support.work import (
    CRM,
    LEASE,
    Clock,
    add_events,
    answered,
    claim,
    dead,
    done,
    retry,
    split_event,
    subjects,
)

FRESH = QueueState(CRM, False, False, Breaker(), None, None, None)
WHILE_OPEN = timedelta(seconds=3)


def queue(store: Store, name: str = CRM) -> QueueState:
    state = store.queues.get(name)
    assert state is not None
    return state


def gone(job: Job) -> JobResult:
    return JobResult(job, Retry(LEASE), answered(410), QueueSignal.GONE)


def refused(job: Job, status: int = 404) -> JobResult:
    return JobResult(job, Retry(LEASE), answered(status), QueueSignal.REFUSAL)


def open_breaker(store: Store) -> None:
    """Let as many jobs of the queue fail as open its breaker."""
    add_events(store, *(split_event(("failing", number)) for number in range(FAILURES_TO_OPEN)))
    store.jobs.settle([retry(job, timedelta(hours=1)) for job in claim(store)])


def test_queues_are_added_once(store: Store) -> None:
    store.queues.ensure([CRM, "deliver:bot", CRM])
    store.queues.pause(CRM, True)

    store.queues.ensure([CRM, "deliver:new"])
    store.queues.ensure([])

    assert [(one.name, one.paused) for one in store.queues.all()] == [
        ("deliver:bot", False),
        (CRM, True),
        ("deliver:new", False),
        ("prune", False),
        ("reconcile", False),
        ("split", False),
        ("token", False),
        ("watch", False),
    ]


def test_a_new_queue_has_no_history(store: Store) -> None:
    store.queues.ensure([CRM])

    assert queue(store) == FRESH
    assert store.queues.get("deliver:nobody") is None


def test_a_missing_queue_is_added_with_its_first_delivery(store: Store) -> None:
    add_events(store, split_event("a"))

    assert queue(store) == FRESH


def test_no_job_of_a_paused_queue_is_claimed(store: Store) -> None:
    add_events(store, *map(split_event, "ab"))
    in_flight = claim(store, limit=1)

    store.queues.pause(CRM, True)

    assert claim(store) == []
    assert store.jobs.settle([done(job) for job in in_flight]) == [True]
    store.queues.pause(CRM, False)
    assert subjects(claim(store)) == [2]


def test_a_destination_that_is_gone_disables_its_queue(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "ab"))
    first, second = claim(timed)

    timed.jobs.settle([gone(first), done(second)])

    assert queue(timed).disabled
    assert queue(timed).last_error == "HTTP 410"
    clock.advance(timedelta(days=7))
    assert claim(timed) == []


def test_the_next_attempt_of_a_delivery_depends_on_its_queue(timed: Store, clock: Clock) -> None:
    open_breaker(timed)
    add_events(timed, split_event("a"))
    open_until = queue(timed).breaker.open_until

    while_open = timed.deliveries.page(state=None, destination=None, event=None, before=None, limit=1)
    timed.queues.pause(CRM, True)
    while_paused = timed.deliveries.page(state=None, destination=None, event=None, before=None, limit=1)

    assert [one.next_attempt_at for one in while_open] == [open_until]
    assert [one.next_attempt_at for one in while_paused] == [None]


def test_each_change_of_a_destination_is_one_line_in_the_log(
    timed: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.store")

    open_breaker(timed)
    clock.advance(MAX_PAUSE)
    add_events(timed, split_event("a"), split_event("b"))
    timed.jobs.settle([done(job) for job in claim(timed)])
    timed.jobs.settle([gone(job) for job in claim(timed)])

    lines = [(record.levelname, record.message, vars(record)["destination"]) for record in caplog.records]
    assert lines == [
        ("WARNING", "destination.opened", "crm"),
        ("INFO", "destination.closed", "crm"),
        ("ERROR", "destination.disabled", "crm"),
    ]


def test_a_change_that_is_rolled_back_is_not_logged_and_a_committed_one_once(
    url: str, make_store: StoreMaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(point: str) -> None:
        if point == "before_commit":
            raise Interrupted

    store, interrupted = make_store(url, clock=clock), make_store(url, clock=clock, on_failpoint=interrupt)
    add_events(store, *(split_event(number) for number in range(FAILURES_TO_OPEN)))
    failures = [retry(job) for job in claim(store)]
    caplog.set_level(logging.INFO, "app.store")

    with pytest.raises(Interrupted):
        interrupted.jobs.settle(failures)
    rolled_back = list(caplog.records)
    store.jobs.settle(failures)

    [line] = caplog.records
    open_until = queue(store).breaker.open_until
    assert open_until is not None
    assert rolled_back == []
    assert (line.message, vars(line)["until"], vars(line)["last_error"]) == (
        "destination.opened",
        iso(open_until),
        "HTTP 503",
    )


def test_different_events_that_are_refused_one_after_the_other_open_the_breaker(timed: Store, clock: Clock) -> None:
    add_events(timed, *(split_event(number) for number in range(FAILURES_TO_OPEN + 3)))
    timed.jobs.settle([refused(job) for job in claim(timed, limit=FAILURES_TO_OPEN)])

    opened = queue(timed)
    assert claim(timed) == []
    clock.advance(timedelta(minutes=1))
    [probe] = claim(timed)
    timed.jobs.settle([done(probe)])

    assert (opened.refusals, opened.breaker.is_open) == (FAILURES_TO_OPEN, True)
    assert (queue(timed).refusals, queue(timed).breaker.is_open) == (0, False)


def test_one_event_that_is_refused_again_and_again_delays_no_other(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("odd"))
    for _ in range(FAILURES_TO_OPEN + 1):
        timed.jobs.settle([refused(job) for job in claim(timed)])
        clock.advance(LEASE)

    assert (queue(timed).refusals, queue(timed).breaker) == (1, Breaker())


def test_a_pause_keeps_the_time_at_which_it_began(timed: Store, clock: Clock) -> None:
    timed.queues.ensure([CRM])
    timed.queues.pause(CRM, True)
    clock.advance(LEASE)

    timed.queues.pause(CRM, True)

    assert queue(timed).paused_at == NOON
    timed.queues.resume(CRM)
    assert queue(timed).paused_at is None


def test_a_resumed_queue_is_reset(timed: Store, clock: Clock) -> None:
    open_breaker(timed)
    add_events(timed, split_event("a"))
    timed.queues.pause(CRM, True)

    timed.queues.resume(CRM)

    state = queue(timed)
    assert (state.paused, state.disabled, state.breaker) == (False, False, Breaker())
    assert len(claim(timed)) == FAILURES_TO_OPEN + 1


def test_jobs_that_wait_in_a_resumed_queue_are_due_now_and_those_in_flight_stay_so(
    timed: Store, clock: Clock
) -> None:
    add_events(timed, *(split_event(number) for number in range(STEP + 10)))
    jobs = claim(timed, max_in_flight=STEP + 10, limit=STEP + 10)
    timed.jobs.settle([gone(job) for job in jobs[:-2]])
    clock.advance(timedelta(seconds=1))

    timed.queues.resume(CRM)

    assert timed.jobs.next_due_in(CRM) == 0
    assert len(claim(timed, max_in_flight=2 * STEP, limit=2 * STEP)) == STEP + 8
    assert timed.jobs.settle([done(job) for job in jobs[-2:]]) == [True, True]


def test_jobs_behind_others_stay_so_when_their_queue_is_resumed(store: Store) -> None:
    add_events(store, *(split_event(name, order_key=1) for name in "ab"))
    store.jobs.settle([gone(job) for job in claim(store)])

    store.queues.resume(CRM)

    assert subjects(claim(store)) == [1]


def test_resuming_one_queue_leaves_the_others(store: Store) -> None:
    add_events(store, *(split_event(name, to=("crm", "bot")) for name in "ab"))
    for name in (CRM, "deliver:bot"):
        store.jobs.settle([gone(job) for job in claim(store, name)])

    store.queues.resume(CRM)
    store.queues.resume("deliver:nobody")

    assert len(claim(store, CRM)) == 2
    assert claim(store, "deliver:bot") == []


def test_no_job_is_claimed_while_the_breaker_is_open(timed: Store, clock: Clock) -> None:
    open_breaker(timed)
    add_events(timed, *map(split_event, "abc"))

    assert claim(timed) == []

    clock.advance(WHILE_OPEN)
    assert claim(timed) == []
    clock.advance(WHILE_OPEN)
    [probe] = claim(timed)
    assert claim(timed) == []
    timed.jobs.settle([done(probe)])
    assert len(claim(timed)) == 2


def test_the_next_due_time_includes_the_pause_of_the_breaker(timed: Store, clock: Clock) -> None:
    add_events(timed, split_event("a"))
    assert timed.jobs.next_due_in(CRM) == 0

    open_breaker(timed)
    add_events(timed, split_event("b"))

    due = timed.jobs.next_due_in(CRM)
    assert due is not None
    assert due > 0
    clock.advance(timedelta(seconds=due))
    assert len(claim(timed)) == 1


def test_a_paused_queue_has_no_next_due_time(store: Store) -> None:
    add_events(store, split_event("a"))

    store.queues.pause(CRM, on=True)

    assert store.jobs.next_due_in(CRM) is None


def test_a_probe_that_fails_uses_up_only_its_own_attempt(timed: Store, clock: Clock) -> None:
    open_breaker(timed)
    add_events(timed, *map(split_event, "abc"))
    clock.advance(WHILE_OPEN * 2)

    timed.jobs.settle([retry(job) for job in claim(timed)])

    assert claim(timed) == []
    clock.advance(MAX_PAUSE * 2)
    jobs = claim(timed, max_in_flight=100)
    assert [job.attempts for job in jobs] == [0]


def test_every_process_sees_that_a_breaker_is_open(
    timed: Store, clock: Clock, url: str, make_store: StoreMaker
) -> None:
    open_breaker(timed)
    add_events(timed, split_event("a"))
    timed.close()

    other = make_store(url, clock=clock)

    assert queue(other).breaker.is_open
    assert claim(other) == []


def test_a_destination_gets_the_delay_that_it_asks_for(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "abc"))
    [job] = claim(timed, limit=1)

    timed.jobs.settle([retry(job, retry_after=timedelta(hours=2))])

    clock.advance(timedelta(hours=2) - timedelta(microseconds=1))
    assert claim(timed) == []
    clock.advance(timedelta(microseconds=1))
    assert len(claim(timed)) == 1


def test_results_count_in_the_order_in_which_they_are_given(store: Store) -> None:
    add_events(store, *(split_event(number) for number in range(10)))
    jobs = claim(store, max_in_flight=10)
    failures = [retry(job) for job in jobs[1:]]

    store.jobs.settle([*failures[:4], done(jobs[0]), *failures[4:8]])

    assert queue(store).breaker == Breaker(failures=4)
    store.jobs.settle(failures[8:])
    assert queue(store).breaker.is_open


def test_a_queue_keeps_its_last_success_and_its_last_error(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, "abc"))
    first, second, third = claim(timed)
    timed.jobs.settle([done(first)])
    assert queue(timed) == QueueState(CRM, False, False, Breaker(), NOON, None, None)
    clock.advance(timedelta(seconds=1))

    timed.jobs.settle([retry(second)])

    assert queue(timed) == QueueState(CRM, False, False, Breaker(failures=1), NOON, clock.now, "HTTP 503")
    timed.jobs.settle([dead(third)])
    assert queue(timed).last_error == "HTTP 400"
    assert queue(timed).breaker == Breaker(failures=1)


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        (answered(429), "HTTP 429"),
        (answered(None, error="timed out"), "timed out"),
        (answered(200, error="the answer never ended"), "the answer never ended"),
        (answered(None, error="x" * 300), "x" * 200),
        (answered(None, error="a\x00b\n\ud800"), "a?b??"),
        (answered(None), "no answer"),
        (None, None),
    ],
)
def test_the_last_error_is_one_short_printable_line(store: Store, attempt: Attempt | None, error: str | None) -> None:
    add_events(store, split_event("a"))
    [job] = claim(store)

    store.jobs.settle([JobResult(job, Retry(LEASE), attempt, QueueSignal.FAILURE)])

    assert queue(store).last_error == error


def test_a_breaker_that_has_closed_allows_more_and_more_jobs(timed: Store, clock: Clock) -> None:
    open_breaker(timed)
    add_events(timed, *(split_event(number) for number in range(40)))
    clock.advance(WHILE_OPEN * 2)

    sizes = []
    for _ in range(4):
        jobs = claim(timed)
        sizes.append(len(jobs))
        timed.jobs.settle([done(job) for job in jobs])

    assert sizes == [1, 2, 4, 8]


def test_a_claim_waits_for_the_lock_on_its_own_queue_only(databases: Databases, make_store: StoreMaker) -> None:
    """The transaction that has locked the queue may be claiming, so that the slots in use are not known before."""
    if databases.kind == "sqlite":
        pytest.skip("SQLite lets one write at a time")
    url = databases.migrated()
    store, other = make_store(url), make_store(url)
    add_events(store, split_event("a", to=("crm", "bot")))
    claimed: list[int] = []
    beside = Thread(target=lambda: claimed.extend(subjects(claim(make_store(url), CRM))))

    def claim_beside(connection: Connection) -> tuple[list[int], list[int]]:
        lock_queues(connection, [CRM])
        beside.start()
        wait_for(lambda: some_session_waits_for_a_lock(url))
        return list(claimed), subjects(claim(other, queue_of_destination("bot")))

    assert store.write(claim_beside) == ([], [2])
    beside.join()
    assert claimed == [1]


def test_the_time_of_the_last_success_is_recorded_once_a_second(timed: Store, clock: Clock) -> None:
    add_events(timed, *map(split_event, range(3)))
    recorded = []

    for _ in range(3):
        timed.jobs.settle([done(job) for job in claim(timed, limit=1)])
        recorded.append(queue(timed).last_success_at)
        clock.advance(timedelta(milliseconds=600))

    assert recorded == [NOON, NOON, NOON + timedelta(milliseconds=1200)]
