"""Old rows are pruned in small steps: the same facts on SQLite and on PostgreSQL."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.receipt import ReceiptState
from app.store import PruneStep, Store
from app.store.tables.schema import deliveries, erased_events, events, jobs, receipt_errors, receipts
from app.store.transactions.erase_contact import last_receipt_id
from app.store.transactions.prune import STEP_BYTES, STEP_ROWS
from tests.support.events import new_event, put_delivery, put_events, put_queue
from tests.support.store import NOON, StoreMaker, new_receipt

OLD, NOW = NOON, NOON + timedelta(days=31)
BEFORE = NOON + timedelta(days=1)


@pytest.fixture
def store(url: str, make_store: StoreMaker) -> Store:
    """An open store whose clock does not move."""
    return make_store(url, clock=lambda: NOW)


def count(store: Store, table: Any) -> int:
    return store.database.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


def put_receipts(store: Store, *bodies: bytes, state: ReceiptState = ReceiptState.SPLIT, minute: int = 0) -> None:
    """Add receipts in this state."""
    last = store.database.read(last_receipt_id)
    store.receipts.add_all([new_receipt(body, minute=minute) for body in bodies])
    new = receipts.c.id > last
    store.write(lambda c: c.execute(receipts.update().where(new).values(state=state.value)))


def bodies(store: Store) -> list[bytes]:
    query = select(receipts.c.body).order_by(receipts.c.id)
    return store.database.read(lambda c: [bytes(body) for body in c.execute(query).scalars()])


def prune_events(store: Store, *destinations: str, before: datetime = BEFORE, after: int = 0) -> PruneStep:
    return store.retention.prune_events(before=before, after=after, destinations=destinations)


def test_old_receipts_are_deleted_and_younger_ones_stay(store: Store) -> None:
    put_receipts(store, b"old", b"old too")
    put_receipts(store, b"young", minute=24 * 60)

    step = store.retention.prune_receipts(before=BEFORE, after=0)

    assert step == PruneStep(2, None)
    assert bodies(store) == [b"young"]


def test_an_old_receipt_that_is_pending_stays(store: Store) -> None:
    put_receipts(store, b"split")
    put_receipts(store, b"pending", state=ReceiptState.PENDING)
    put_receipts(store, b"unreadable", state=ReceiptState.UNREADABLE)
    store.write(lambda c: c.execute(receipt_errors.insert(), [{"receipt": 3, "reason": "no JSON"}]))

    step = store.retention.prune_receipts(before=BEFORE, after=0)

    assert step.deleted == 2
    assert bodies(store) == [b"pending"]
    assert count(store, receipt_errors) == 0


def test_a_step_deletes_a_limited_number_of_rows(store: Store) -> None:
    put_receipts(store, *[b"%d" % number for number in range(STEP_ROWS + 5)])

    first = store.retention.prune_receipts(before=BEFORE, after=0)
    second = store.retention.prune_receipts(before=BEFORE, after=first.next or 0)

    assert (first.deleted, second) == (STEP_ROWS, PruneStep(5, None))


def test_a_step_deletes_a_limited_number_of_bytes_but_at_least_one_row(store: Store) -> None:
    large = STEP_BYTES * 3 // 4
    put_receipts(store, b"a" * large, b"b" * large, b"c" * (STEP_BYTES + 1), b"d")
    deleted = []

    after: int | None = 0
    while after is not None:
        step = store.retention.prune_receipts(before=BEFORE, after=after)
        deleted.append(step.deleted)
        after = step.next

    assert deleted == [1, 1, 1, 1]
    assert count(store, receipts) == 0


def test_rows_that_must_stay_are_skipped(store: Store) -> None:
    put_receipts(store, *[b"p%d" % number for number in range(STEP_ROWS)], state=ReceiptState.PENDING)
    put_receipts(store, b"last")

    first = store.retention.prune_receipts(before=BEFORE, after=0)
    second = store.retention.prune_receipts(before=BEFORE, after=first.next or 0)

    assert (first.deleted, first.next, second) == (0, STEP_ROWS, PruneStep(1, None))


def test_old_events_are_deleted_with_their_settled_deliveries(store: Store) -> None:
    old, also_old = put_events(store, new_event("a"), new_event("b"), received_at=OLD)
    (young,) = put_events(store, new_event("c"), received_at=BEFORE)
    for event, state in ((old, "delivered"), (old, "dead"), (also_old, "skipped"), (young, "delivered")):
        put_delivery(store, event, destination=f"{state}-{event}", state=state)

    step = prune_events(store)

    assert step == PruneStep(2, None)
    assert store.database.read(lambda c: c.execute(select(events.c.id)).scalars().all()) == [young]
    assert store.database.read(lambda c: c.execute(select(deliveries.c.event)).scalars().all()) == [young]


def test_an_event_with_an_open_delivery_stays_with_all_its_deliveries(store: Store) -> None:
    waiting, _ = put_events(store, new_event("a"), new_event("b"), received_at=OLD)
    put_delivery(store, waiting, destination="crm", state="open")
    put_delivery(store, waiting, destination="bot", state="delivered")

    step = prune_events(store, "crm", "bot")

    assert step.deleted == 1
    assert store.database.read(lambda c: c.execute(select(events.c.id)).scalars().all()) == [waiting]
    assert (count(store, deliveries), count(store, jobs)) == (2, 6)


def test_an_open_delivery_to_a_destination_that_left_the_config_keeps_no_event(store: Store) -> None:
    gone, also_kept = put_events(store, new_event("a"), new_event("b"), received_at=OLD)
    put_delivery(store, gone, destination="gone", state="open")
    skipped = put_delivery(store, also_kept, destination="gone", state="open")
    put_delivery(store, also_kept, destination="crm", state="open")

    step = prune_events(store, "crm")

    state = select(deliveries.c.state).where(deliveries.c.id == skipped)
    queues = store.database.read(lambda c: c.execute(select(jobs.c.queue)).scalars().all())
    assert step.deleted == 1
    assert store.database.read(lambda c: c.execute(state).scalar_one()) == "skipped"
    assert sorted(queues) == ["deliver:crm", "prune", "reconcile", "split", "token", "watch"]


def test_the_job_behind_a_deleted_one_is_due(store: Store) -> None:
    first, second = put_events(store, new_event("a"), received_at=OLD) + put_events(
        store, new_event("b"), received_at=BEFORE
    )
    put_queue(store, "deliver:gone")
    put_delivery(store, first, destination="gone", state="open", order_key=7)
    put_delivery(store, second, destination="gone", state="open", order_key=7, due=False)

    prune_events(store)

    due = select(jobs.c.due_at).where(jobs.c.queue == "deliver:gone")
    assert store.database.read(lambda c: c.execute(due).scalars().all()) == [NOW]


def test_a_step_deletes_a_limited_number_of_events(store: Store) -> None:
    put_events(store, *[new_event(number) for number in range(STEP_ROWS + 1)], received_at=OLD)

    first = prune_events(store)
    second = prune_events(store, after=first.next or 0)

    assert (first, second) == (PruneStep(STEP_ROWS, STEP_ROWS), PruneStep(1, None))


def test_ids_of_erased_events_are_deleted_in_the_end(store: Store) -> None:
    rows = [{"event_id": bytes([number] * 16), "at": OLD if number else BEFORE} for number in range(4)]
    store.write(lambda c: c.execute(erased_events.insert(), rows))

    step = store.retention.prune_erased_events(before=BEFORE)

    assert step.deleted == 3
    assert count(store, erased_events) == 1


@pytest.mark.parametrize("after", [0, 5])
def test_a_step_in_an_empty_store_deletes_nothing(store: Store, after: int) -> None:
    assert store.retention.prune_receipts(before=BEFORE, after=after) == PruneStep(0, None)
    assert prune_events(store, after=after) == PruneStep(0, None)
    assert store.retention.prune_erased_events(before=BEFORE) == PruneStep(0, None)


def test_no_id_is_used_twice_after_everything_was_pruned(store: Store) -> None:
    put_events(store, new_event("a"), new_event("b"), received_at=OLD)
    prune_events(store)

    assert put_events(store, new_event("c")) == [3]
