"""Real workers on a database of each kind: they handle jobs, settle, hand over, and survive errors and outages."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.delivery import DeliveryState
from app.domain.job import SPLIT_QUEUE
from app.store import Store
from app.store.migrations.upgrade import no_schema
from app.store.tables.schema import jobs
from tests.store.children import Child, Start
from tests.support.events import new_event, put_delivery, put_events
from tests.support.store import NOON
from tests.support.waiting import wait_for
from tests.support.work import CRM, claim

WORKING = "tests.jobs.working"
HEAD = no_schema().head
A_LONG_TIME_SECONDS = 3600
LEASE_SECONDS = 15
"""A busy machine may keep a worker from renewing a lease for some seconds."""

numbers = count()


def put_jobs(store: Store, number: int = 1, **how: Any) -> list[int]:
    """Add due deliveries to crm. Return their numbers, which are their jobs' subjects."""
    sequences = put_events(store, *(new_event(f"event {next(numbers)}") for _ in range(number)))
    subjects = [put_delivery(store, sequence, **how) for sequence in sequences]
    notify(store)
    return subjects


def notify(store: Store) -> None:
    store.write(lambda _: None, "work")


def make_due(store: Store, **values: Any) -> None:
    """Make every waiting job due."""
    store.write(lambda c: c.execute(update(jobs).values(due_at=NOON, **values)), "work")


def open_jobs(store: Store, queue: str = CRM) -> list[Any]:
    query = select(jobs).where(jobs.c.queue == queue).order_by(jobs.c.id)
    return list(store.database.read(lambda c: c.execute(query).all()))


def execute(store: Store, sql: str) -> None:
    store.write(lambda c: c.exec_driver_sql(sql))


def is_delivered(store: Store, number: int) -> bool:
    delivery = store.deliveries.get(f"dlv_{number}")
    return delivery is not None and delivery.state is DeliveryState.DELIVERED


def work(start: Start, url: str, behaviour: str = "succeed", *options: float) -> Child:
    """Start a worker. Options: the seconds of a lease, and between two checks of a queue that nothing wakes."""
    return start(WORKING, url, behaviour, *options)


def lease_expiry(store: Store) -> datetime:
    [job] = open_jobs(store)
    expiry: datetime = job.due_at
    return expiry


def test_due_jobs_are_attempted_once_and_settled(url: str, store: Store, start: Start) -> None:
    worker = work(start, url)

    subjects = put_jobs(store, 3)
    wait_for(lambda: open_jobs(store) == [])
    worker.stop()

    assert sorted(worker.hear_all()) == subjects
    assert all(is_delivered(store, number) for number in subjects)


def test_an_idle_worker_is_woken_by_a_commit(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "succeed", A_LONG_TIME_SECONDS, A_LONG_TIME_SECONDS)
    put_jobs(store)
    worker.hear()

    for _ in range(5):
        wait_for(lambda: open_jobs(store) == [])
        [number] = put_jobs(store)
        assert worker.hear() == number


def test_a_worker_that_stops_hands_back_jobs_that_hang(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "hang")
    [number] = put_jobs(store)
    worker.hear()

    worker.stop()

    assert worker.succeeds()
    [job] = open_jobs(store)
    assert (job.claim_id, job.claims, job.attempts) == (None, 0, 0)
    assert [job.subject for job in claim(store)] == [number]
    assert store.heartbeats.of_kind("worker") == []


def test_a_worker_that_stops_lets_jobs_in_flight_finish(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "wait_for_input")
    [number] = put_jobs(store)
    worker.hear()

    worker.stop()
    worker.go_on()

    assert worker.succeeds()
    assert is_delivered(store, number)


def test_jobs_of_a_dead_worker_are_taken_over_when_their_leases_expire(url: str, store: Store, start: Start) -> None:
    dying = work(start, url, "hang", 1)
    [number] = put_jobs(store)
    dying.hear()

    dying.kill()
    other = work(start, url)

    assert other.hear() == number
    wait_for(lambda: is_delivered(store, number))


def test_a_renewed_lease_keeps_other_workers_out_while_the_job_runs(url: str, store: Store, start: Start) -> None:
    slow = work(start, url, "wait_for_input", LEASE_SECONDS)
    [number] = put_jobs(store)
    slow.hear()
    other = work(start, url, "succeed", LEASE_SECONDS)

    first_expiry = lease_expiry(store)
    wait_for(lambda: lease_expiry(store) > first_expiry + timedelta(seconds=LEASE_SECONDS))
    slow.go_on()

    wait_for(lambda: is_delivered(store, number))
    slow.stop()
    other.stop()
    assert slow.hear_all() == []
    assert other.hear_all() == []


def test_a_job_that_hangs_delays_no_other(url: str, store: Store, start: Start) -> None:
    work(start, url, "hang_on_poison")

    hanging, *others = put_jobs(store, 20)
    wait_for(lambda: len(open_jobs(store)) == 1)

    assert [job.subject for job in open_jobs(store)] == [hanging]
    assert all(is_delivered(store, number) for number in others)


@pytest.mark.parametrize("error", ["fail_on_poison", "poison_cannot_be_loaded"])
def test_an_internal_error_fails_its_own_job_only(url: str, store: Store, start: Start, error: str) -> None:
    poison, *others = put_jobs(store, 8)
    worker = work(start, url, error)
    wait_for(lambda: [job.attempts for job in open_jobs(store)] == [1])  # the others may be settled before it

    [job] = open_jobs(store)
    assert (job.subject, job.claim_id) == (poison, None)
    assert all(is_delivered(store, number) for number in others)
    [later] = put_jobs(store)
    wait_for(lambda: is_delivered(store, later))
    worker.stop()
    assert worker.succeeds()


@pytest.mark.parametrize("error", ["fail_on_poison", "poison_cannot_be_loaded"])
def test_a_job_with_an_internal_error_at_every_attempt_is_dead_in_the_end(
    url: str, store: Store, start: Start, error: str
) -> None:
    [poison] = put_jobs(store)
    store.write(lambda c: c.execute(update(jobs).values(attempts=14)))

    work(start, url, error)
    wait_for(lambda: open_jobs(store) == [])

    delivery = store.deliveries.get(f"dlv_{poison}")
    assert delivery is not None
    assert delivery.state is DeliveryState.DEAD
    assert delivery.attempts[-1].error == "internal error ValueError after 15 attempts"


def test_a_job_is_attempted_again_after_an_internal_error(url: str, store: Store, start: Start) -> None:
    work(start, url, "fail_once")
    [number] = put_jobs(store)
    wait_for(lambda: [job.attempts for job in open_jobs(store)] == [1])

    make_due(store)

    wait_for(lambda: is_delivered(store, number))


def test_jobs_that_could_not_be_loaded_are_handled_once_the_store_is_back(
    url: str, store: Store, start: Start
) -> None:
    worker = work(start, url, "unavailable_while_loading")

    subjects = put_jobs(store, 3)
    wait_for(lambda: all(is_delivered(store, number) for number in subjects))
    worker.stop()

    assert sorted(worker.hear_all()) == subjects


def test_a_result_is_settled_once_the_store_is_available_again(url: str, store: Store, start: Start) -> None:
    [number] = put_jobs(store)
    worker = work(start, url, "wait_for_input", 600, 600)
    worker.hear()
    execute(store, "ALTER TABLE jobs RENAME TO jobs_away")

    worker.go_on()
    assert worker.hear() == "store.unavailable"
    execute(store, "ALTER TABLE jobs_away RENAME TO jobs")

    wait_for(lambda: is_delivered(store, number))
    worker.stop()
    assert number not in worker.hear_all()


def test_a_singleton_job_never_ends(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "fail_once")
    assert worker.hear() == 0
    wait_for(lambda: [job.claim_id for job in open_jobs(store, SPLIT_QUEUE)] == [None])

    make_due(store, attempts=99)

    assert worker.hear() == 0
    wait_for(lambda: [job.claim_id for job in open_jobs(store, SPLIT_QUEUE)] == [None])


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_a_worker_does_nothing_until_the_schema_is_compatible(
    url: str, store: Store, start: Start, version: str
) -> None:
    [number] = put_jobs(store)
    execute(store, f"UPDATE schema_version SET version_num = '{version}'")
    execute(store, f"UPDATE schema_compatibility SET oldest_code = '{version}'")
    worker = work(start, url)

    wait_for(lambda: store.heartbeats.of_kind("worker") != [])
    notify(store)
    [beat] = store.heartbeats.of_kind("worker")
    wait_for(lambda: store.heartbeats.of_kind("worker") != [beat])
    untouched = [(job.claims, job.attempts) for job in open_jobs(store)]
    execute(store, f"UPDATE schema_version SET version_num = '{HEAD}'")

    assert worker.hear() == number
    assert untouched == [(0, 0)]


def test_a_worker_works_on_a_newer_schema_that_is_compatible(url: str, store: Store, start: Start) -> None:
    execute(store, "UPDATE schema_version SET version_num = '9999'")
    [number] = put_jobs(store)

    worker = work(start, url)

    assert worker.hear() == number
