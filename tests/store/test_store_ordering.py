"""Jobs that wait for each other: one at a time of each key, in the order in which they came."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import psycopg
import pytest

from app.domain.job import Job, Retry
from app.domain.job_result import JobResult
from app.domain.split import SplitReceipt
from app.store import Store
from tests.support.store import Databases, StoreMaker
from tests.support.waiting import wait_for
from tests.support.work import (
    CRM,
    LEASE,
    Clock,
    again,
    claim,
    claim_split,
    dead,
    done,
    found,
    put_in,
    receive,
    subjects,
)


def enqueue(store: Store, *names: str, key: int = 1) -> None:
    put_in(store, *(found(name, order_key=key) for name in names))


def test_of_each_key_one_is_in_flight(store: Store) -> None:
    enqueue(store, "a", "b", key=1)
    enqueue(store, "x", "y", key=-2)
    put_in(store, found("free"), found("as well"))

    assert subjects(claim(store)) == [1, 3, 5, 6]
    assert claim(store) == []


@pytest.mark.parametrize("end", [done, dead])
def test_the_next_is_due_once_the_one_before_has_ended(store: Store, end: Callable[[Job], JobResult]) -> None:
    enqueue(store, "a", "b")
    enqueue(store, "c")
    order = []

    for _ in range(3):
        [job] = claim(store)
        order.append(job.subject)
        store.jobs.settle([end(job)])

    assert order == [1, 2, 3]


def test_the_others_wait_while_the_first_is_tried_again(timed: Store, clock: Clock) -> None:
    enqueue(timed, "a", "b")
    [first] = claim(timed)

    timed.jobs.settle([again(first)])

    assert claim(timed) == []
    assert timed.jobs.next_due_in(CRM) == LEASE.total_seconds()
    clock.advance(LEASE)
    assert subjects(claim(timed)) == [1]


def test_the_others_wait_while_the_first_is_taken_over(timed: Store, clock: Clock) -> None:
    enqueue(timed, "a", "b")
    claim(timed)

    clock.advance(LEASE)

    assert subjects(claim(timed)) == [1]


def test_one_that_comes_when_none_is_open_is_due_at_once(store: Store) -> None:
    enqueue(store, "a")
    store.jobs.settle([done(job) for job in claim(store)])

    enqueue(store, "b")

    assert subjects(claim(store)) == [2]


def test_the_same_key_of_another_destination_is_another_line(store: Store) -> None:
    put_in(store, *(found(name, to=("crm", "bot"), order_key=1) for name in "ab"))

    assert subjects(claim(store, CRM)) == [1]
    assert subjects(claim(store, "deliver:bot")) == [2]
    store.jobs.settle([done(job) for job in claim(store, CRM)])
    assert claim(store, "deliver:bot") == []


def test_several_lines_go_on_at_once(store: Store) -> None:
    for key in range(3):
        enqueue(store, f"{key}a", f"{key}b", key=key)

    store.jobs.settle([done(job) for job in claim(store)])

    assert subjects(claim(store)) == [2, 4, 6]


def test_a_replayed_delivery_stands_behind_the_others(store: Store) -> None:
    enqueue(store, "a", "b")
    [first] = claim(store)
    store.jobs.settle([dead(first)])

    store.deliveries.replay("dlv_1")

    assert subjects(claim(store)) == [2]


def test_a_job_put_back_at_once_keeps_its_place(timed: Store) -> None:
    enqueue(timed, "a", "b")
    [first] = claim(timed)

    timed.jobs.settle([JobResult(first, Retry(timedelta()))])

    assert subjects(claim(timed)) == [1]


def some_session_waits_for_a_lock(url: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None


@pytest.mark.parametrize("adds_first", [True, False])
def test_one_that_is_added_while_the_one_before_ends_is_woken(
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
        in_store.events.add(splitting, [SplitReceipt(receipt, [found("b", order_key=1)])], LEASE)

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
