"""Jobs with the same ordering key are done one at a time, in the order in which they were enqueued."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from app.domain.job import Job, Retry
from app.domain.job_result import JobResult
from app.domain.split import SplitReceipt
from app.store import Store
from app.store.transactions.enqueue import NewJob
from app.store.transactions.enqueue import enqueue as add_jobs
from tests.support.postgres import some_session_waits_for_a_lock
from tests.support.store import NOON, Databases, StoreMaker
from tests.support.waiting import wait_for
from tests.support.work import (
    CRM,
    LEASE,
    Clock,
    add_events,
    claim,
    claim_split,
    dead,
    done,
    receive,
    retry,
    split_event,
    subjects,
)


def enqueue(store: Store, *names: str, key: int = 1) -> None:
    add_events(store, *(split_event(name, order_key=key) for name in names))


def test_one_job_of_each_ordering_key_is_in_flight(store: Store) -> None:
    enqueue(store, "a", "b", key=1)
    enqueue(store, "x", "y", key=-2)
    add_events(store, split_event("free"), split_event("as well"))

    assert subjects(claim(store)) == [1, 3, 5, 6]
    assert claim(store) == []


@pytest.mark.parametrize("result", [done, dead])
def test_the_next_job_is_due_once_the_one_before_has_ended(store: Store, result: Callable[[Job], JobResult]) -> None:
    enqueue(store, "a", "b")
    enqueue(store, "c")
    order = []

    for _ in range(3):
        [job] = claim(store)
        order.append(job.subject)
        store.jobs.settle([result(job)])

    assert order == [1, 2, 3]


EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN (COSTS OFF)"}


def test_the_first_job_of_a_key_is_looked_up_by_its_key_in_a_queue_without_statistics(store: Store) -> None:
    """As when a number sends its first messages: the planner believes that no row is of its queue."""
    known = [NewJob(CRM, number, None) for number in range(2000)]
    waiting = [NewJob("send:1", number, number) for number in range(200)]
    store.write(lambda c: add_jobs(c, NOON, known))
    store.write(lambda c: c.exec_driver_sql("ANALYZE jobs"))
    store.write(lambda c: add_jobs(c, NOON, waiting))
    lookups: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, sql: str, values: Any, _context: object, _many: bool) -> None:
        if "FROM jobs" in sql:
            lookups.append((sql, values))

    event.listen(Engine, "before_cursor_execute", note)
    store.write(lambda c: add_jobs(c, NOON, [NewJob("send:1", 200 + key, key) for key in range(200)]))
    event.remove(Engine, "before_cursor_execute", note)

    [(lookup, given)] = lookups

    def explain(connection: Connection) -> str:
        return str(connection.exec_driver_sql(f"{EXPLAIN[store.kind]} {lookup}", given).all())

    plan = store.write(explain)
    by_key = {"sqlite": "jobs_order_key ((order_key,queue)>(?,?) AND", "postgresql": "jobs_order_key on jobs"}
    assert by_key[store.kind] in plan, plan
    assert not re.search("Filter|Sort|TEMP", plan), plan


def test_the_others_wait_while_the_first_job_is_retried(timed: Store, clock: Clock) -> None:
    enqueue(timed, "a", "b")
    [first] = claim(timed)

    timed.jobs.settle([retry(first)])

    assert claim(timed) == []
    assert timed.jobs.next_due_in(CRM) == LEASE.total_seconds()
    clock.advance(LEASE)
    assert subjects(claim(timed)) == [1]


def test_the_others_wait_while_the_first_job_is_claimed_again(timed: Store, clock: Clock) -> None:
    enqueue(timed, "a", "b")
    claim(timed)

    clock.advance(LEASE)

    assert subjects(claim(timed)) == [1]


def test_a_job_is_due_at_once_when_no_other_is_open(store: Store) -> None:
    enqueue(store, "a")
    store.jobs.settle([done(job) for job in claim(store)])

    enqueue(store, "b")

    assert subjects(claim(store)) == [2]


def test_the_same_order_key_in_another_queue_is_another_ordering_key(store: Store) -> None:
    add_events(store, *(split_event(name, to=("crm", "bot"), order_key=1) for name in "ab"))

    assert subjects(claim(store, CRM)) == [1]
    assert subjects(claim(store, "deliver:bot")) == [2]
    store.jobs.settle([done(job) for job in claim(store, CRM)])
    assert claim(store, "deliver:bot") == []


def test_several_ordering_keys_go_on_at_once(store: Store) -> None:
    for key in range(3):
        enqueue(store, f"{key}a", f"{key}b", key=key)

    store.jobs.settle([done(job) for job in claim(store)])

    assert subjects(claim(store)) == [2, 4, 6]


def test_a_replayed_delivery_waits_behind_the_others(store: Store) -> None:
    enqueue(store, "a", "b")
    [first] = claim(store)
    store.jobs.settle([dead(first)])

    store.deliveries.replay("dlv_1")

    assert subjects(claim(store)) == [2]


def test_a_job_to_retry_at_once_keeps_its_place(timed: Store) -> None:
    enqueue(timed, "a", "b")
    [first] = claim(timed)

    timed.jobs.settle([JobResult(first, Retry(timedelta()))])

    assert subjects(claim(timed)) == [1]


@pytest.mark.parametrize("adds_first", [True, False])
def test_a_job_that_is_enqueued_while_the_one_before_ends_becomes_due(
    databases: Databases, make_store: StoreMaker, adds_first: bool
) -> None:
    """On PostgreSQL neither of two transactions would see the other's commit if they did not wait for each other."""
    if databases.kind == "sqlite":
        pytest.skip("SQLite lets one write at a time")
    url = databases.migrated()
    store = make_store(url)
    enqueue(store, "a")
    [job], [receipt], splitting = claim(store), receive(store), claim_split(store)

    def add(in_store: Store) -> None:
        in_store.events.add(splitting, [SplitReceipt(receipt, [split_event("b", order_key=1)])], LEASE)

    def settle(in_store: Store) -> None:
        in_store.jobs.settle([done(job)])

    earlier, later = (add, settle) if adds_first else (settle, add)
    beside = Thread(target=later, args=[make_store(url)])

    def start_beside(point: str) -> None:
        if point == "before_commit":
            beside.start()
            wait_for(lambda: not beside.is_alive() or some_session_waits_for_a_lock(url))

    earlier(make_store(url, on_failpoint=start_beside))
    beside.join()

    assert subjects(claim(store)) == [2]
