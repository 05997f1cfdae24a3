"""Real workers on a database of each kind: they try, settle, hand over, and outlive mistakes and an absent store."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.delivery import DeliveryState
from app.domain.job import SPLIT_QUEUE
from app.store import Store
from app.store.tables.schema import jobs
from tests.store.children import Child, Start
from tests.support.events import new_event, put_delivery, put_events
from tests.support.store import NOON
from tests.support.waiting import wait_for
from tests.support.work import CRM, claim

WORKING = Path(__file__).with_name("working")
HEAD = "0002"
ONE_BY_ONE, IMPATIENT_SECONDS = 20, 30


def put_jobs(store: Store, number: int = 1, **how: Any) -> list[int]:
    """Deliveries to crm that are due; their numbers, which are their jobs' subjects."""
    sequences = put_events(store, *(new_event(f"{time.monotonic()} {each}") for each in range(number)))
    made = [put_delivery(store, sequence, **how) for sequence in sequences]
    notify(store)
    return made


def notify(store: Store) -> None:
    store.write(lambda _: None, "work")


def make_due(store: Store, **values: Any) -> None:
    """As if the time had come for everything that waits."""
    store.write(lambda c: c.execute(update(jobs).values(due_at=NOON, **values)), "work")


def open_jobs(store: Store, queue: str = CRM) -> list[Any]:
    query = select(jobs).where(jobs.c.queue == queue).order_by(jobs.c.id)
    return list(store.database.read(lambda c: c.execute(query).all()))


def execute(store: Store, sql: str) -> None:
    store.write(lambda c: c.exec_driver_sql(sql))


def is_delivered(store: Store, number: int) -> bool:
    delivery = store.deliveries.get(f"dlv_{number}")
    return delivery is not None and delivery.state is DeliveryState.DELIVERED


def work(start: Start, url: str, how: str = "succeed", lease_seconds: float = 30) -> Child:
    return start(WORKING, url, how, lease_seconds)


def test_what_is_due_is_tried_once_and_settled(url: str, store: Store, start: Start) -> None:
    worker = work(start, url)

    made = put_jobs(store, 3)
    wait_for(lambda: open_jobs(store) == [])
    worker.stop()

    assert sorted(worker.hear_all()) == made
    assert all(is_delivered(store, number) for number in made)


def test_an_idle_worker_is_woken_by_a_commit(url: str, store: Store, start: Start) -> None:
    """A worker that only looked by itself, every two seconds, would not be through by then."""
    worker = work(start, url)
    put_jobs(store)
    worker.hear()
    deadline = time.monotonic() + IMPATIENT_SECONDS

    for _ in range(ONE_BY_ONE):
        [number] = put_jobs(store)
        assert worker.hear() == number

    assert time.monotonic() < deadline


def test_a_worker_that_stops_hands_back_what_hangs(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "hang")
    [number] = put_jobs(store)
    worker.hear()

    worker.stop()

    assert worker.succeeds()
    [job] = open_jobs(store)
    assert (job.claim_id, job.claims, job.attempts) == (None, 0, 0)
    assert [each.subject for each in claim(store)] == [number]
    assert store.heartbeats.latest("worker") == []


def test_a_worker_that_stops_lets_what_is_in_flight_end(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "wait_to_be_told")
    [number] = put_jobs(store)
    worker.hear()

    worker.stop()
    worker.go_on()

    assert worker.succeeds()
    assert is_delivered(store, number)


def test_what_a_dead_worker_had_is_taken_over_when_its_lease_ends(url: str, store: Store, start: Start) -> None:
    dying = work(start, url, "hang", lease_seconds=1)
    [number] = put_jobs(store)
    dying.hear()

    dying.kill()
    heir = work(start, url)

    assert heir.hear() == number
    wait_for(lambda: is_delivered(store, number))


def test_a_lease_is_renewed_while_the_work_goes_on(url: str, store: Store, start: Start) -> None:
    slow = work(start, url, "wait_to_be_told", lease_seconds=1)
    [number] = put_jobs(store)
    slow.hear()
    other = work(start, url, lease_seconds=1)

    time.sleep(3)
    slow.go_on()
    wait_for(lambda: is_delivered(store, number))
    other.stop()

    assert other.hear_all() == []


def test_one_that_hangs_holds_up_no_other(url: str, store: Store, start: Start) -> None:
    work(start, url, "hang_on_poison")

    hanging, *others = put_jobs(store, 20)
    wait_for(lambda: len(open_jobs(store)) == 1)

    assert [job.subject for job in open_jobs(store)] == [hanging]
    assert all(is_delivered(store, number) for number in others)


@pytest.mark.parametrize("mistake", ["fail_on_poison", "poison_cannot_be_loaded"])
def test_a_mistake_of_ours_fails_its_own_job_only_and_ends_nothing(
    url: str, store: Store, start: Start, mistake: str
) -> None:
    poison, *others = put_jobs(store, 8)
    worker = work(start, url, mistake)
    wait_for(lambda: len(open_jobs(store)) == 1)

    [job] = open_jobs(store)
    assert (job.subject, job.claim_id, job.attempts) == (poison, None, 1)
    assert all(is_delivered(store, number) for number in others)
    [later] = put_jobs(store)
    wait_for(lambda: is_delivered(store, later))
    worker.stop()
    assert worker.succeeds()


@pytest.mark.parametrize("mistake", ["fail_on_poison", "poison_cannot_be_loaded"])
def test_a_mistake_of_ours_that_stays_is_a_dead_letter_in_the_end(
    url: str, store: Store, start: Start, mistake: str
) -> None:
    [poison] = put_jobs(store)
    store.write(lambda c: c.execute(update(jobs).values(attempts=14)))

    work(start, url, mistake)
    wait_for(lambda: open_jobs(store) == [])

    delivery = store.deliveries.get(f"dlv_{poison}")
    assert delivery is not None
    assert delivery.state is DeliveryState.DEAD
    assert delivery.attempts[-1].error == "wats failed on it with ValueError, 15 times"


def test_a_mistake_of_ours_is_tried_again(url: str, store: Store, start: Start) -> None:
    work(start, url, "fail_once")
    [number] = put_jobs(store)
    wait_for(lambda: [job.attempts for job in open_jobs(store)] == [1])

    make_due(store)

    wait_for(lambda: is_delivered(store, number))


def test_what_was_claimed_while_the_store_went_away_is_not_left_lying(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "away_while_loading")

    made = put_jobs(store, 3)
    wait_for(lambda: all(is_delivered(store, number) for number in made))
    worker.stop()

    assert sorted(worker.hear_all()) == made


def test_what_has_ended_while_the_store_was_away_is_settled_once_it_is_back(
    url: str, store: Store, start: Start
) -> None:
    worker = work(start, url, "wait_to_be_told")
    [number] = put_jobs(store)
    worker.hear()
    execute(store, "ALTER TABLE jobs RENAME TO jobs_away")

    worker.go_on()
    time.sleep(1)
    execute(store, "ALTER TABLE jobs_away RENAME TO jobs")

    wait_for(lambda: is_delivered(store, number))
    worker.stop()
    assert worker.hear_all() == []


def test_a_standing_job_never_ends(url: str, store: Store, start: Start) -> None:
    worker = work(start, url, "fail_once")
    assert worker.hear() == 0
    wait_for(lambda: [job.claim_id for job in open_jobs(store, SPLIT_QUEUE)] == [None])

    make_due(store, attempts=99)

    assert worker.hear() == 0
    wait_for(lambda: [job.claim_id for job in open_jobs(store, SPLIT_QUEUE)] == [None])


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_a_worker_that_the_schema_does_not_fit_does_nothing_until_it_does(
    url: str, store: Store, start: Start, version: str
) -> None:
    [number] = put_jobs(store)
    execute(store, f"UPDATE schema_version SET version_num = '{version}'")
    execute(store, f"UPDATE schema_compatibility SET oldest_code = '{version}'")
    worker = work(start, url)

    wait_for(lambda: store.heartbeats.latest("worker") != [])
    time.sleep(1)
    untouched = [(job.claims, job.attempts) for job in open_jobs(store)]
    execute(store, f"UPDATE schema_version SET version_num = '{HEAD}'")

    assert worker.hear() == number
    assert untouched == [(0, 0)]


def test_a_worker_of_a_schema_that_is_newer_and_still_fits_works(url: str, store: Store, start: Start) -> None:
    execute(store, "UPDATE schema_version SET version_num = '9999'")
    [number] = put_jobs(store)

    worker = work(start, url)

    assert worker.hear() == number
