"""Pending receipts and the events that are found in them: the same facts on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.domain.delivery import DeliveryState
from app.domain.event import Contact
from app.domain.job import SPLIT_QUEUE
from app.domain.receipt import ReceiptState
from app.domain.split import PendingReceipt, SplitCount, SplitEvent, SplitReceipt
from app.store import ClaimLost, Store, StoreRefused
from app.store.tables.events import key_of
from app.store.tables.schema import erased_events, jobs
from tests.support.events import event_id
from tests.support.store import NOON, Databases, StoreMaker, new_receipt
from tests.support.work import (
    AT_ONCE,
    CRM,
    LEASE,
    Clock,
    add_events,
    claim,
    claim_split,
    receive,
    split_event,
)


def pending(store: Store, *, limit: int = 100, max_bytes: int = 1000) -> list[bytes]:
    return [receipt.body for receipt in store.receipts.pending(limit=limit, max_bytes=max_bytes)]


def texts(store: Store) -> list[str]:
    """Return the texts of all events, in the order of their sequences."""
    return [event.data["text"] for event in store.events.after(0, limit=10_000)]


def destinations(store: Store) -> list[str]:
    """Return the destination of each delivery, the oldest first."""
    return [delivery.destination for delivery in reversed(store.deliveries.page(limit=10_000))]


def test_pending_receipts_come_oldest_first_as_they_were_received(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"a", minute=2), new_receipt(b"b", minute=1)])

    waiting = store.receipts.pending(limit=10, max_bytes=1000)

    a = bytes.fromhex("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
    assert waiting[0] == PendingReceipt("rcp_1", NOON + timedelta(minutes=2), a, b"a")
    assert [receipt.body for receipt in waiting] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("limit", "max_bytes", "count"),
    [(10, 99, 4), (3, 99, 3), (10, 10, 4), (10, 9, 3), (10, 6, 2), (10, 3, 1), (10, 0, 1)],
)
def test_a_page_of_pending_receipts_has_as_many_as_fit_but_at_least_one(
    store: Store, limit: int, max_bytes: int, count: int
) -> None:
    store.receipts.add_all([new_receipt(body) for body in (b"333", b"22", b"4444", b"1")])

    assert len(pending(store, limit=limit, max_bytes=max_bytes)) == count


def test_a_split_receipt_is_no_longer_pending(store: Store) -> None:
    assert not store.receipts.has_pending()
    store.receipts.add(new_receipt())
    assert store.receipts.has_pending()

    [receipt] = store.receipts.pending(limit=1, max_bytes=1)
    store.events.add(claim_split(store), [SplitReceipt(receipt)], LEASE)

    assert not store.receipts.has_pending()
    assert pending(store) == []


def test_an_event_is_stored_as_it_was_found(store: Store) -> None:
    counted = add_events(store, split_event("hi"))

    event = store.events.get(event_id("hi"))
    assert counted == SplitCount(new=1, duplicates=0, differing=0)
    assert event is not None
    assert {name: getattr(event, name) for name in vars(split_event("hi").event)} == vars(split_event("hi").event)
    assert (event.sequence, event.receipt_id, event.received_at, event.foreign) == (1, "rcp_1", NOON, False)


def test_an_event_gets_a_delivery_and_a_job_for_each_destination(store: Store) -> None:
    add_events(store, split_event("hi", to=("crm", "bot")))

    page = store.deliveries.page(limit=10)
    assert [(one.destination, one.event_id, one.state) for one in page] == [
        ("bot", event_id("hi"), DeliveryState.WAITING),
        ("crm", event_id("hi"), DeliveryState.WAITING),
    ]
    assert [depth.queue for depth in store.jobs.depths()] == [
        "deliver:bot",
        CRM,
        "prune",
        "reconcile",
        SPLIT_QUEUE,
        "token",
        "watch",
    ]


def test_a_foreign_event_is_stored_without_deliveries(store: Store) -> None:
    add_events(store, split_event("theirs", foreign=True))

    event = store.events.get(event_id("theirs"))
    assert event is not None
    assert event.foreign
    assert destinations(store) == []


def test_a_receipt_has_the_number_of_its_events(store: Store) -> None:
    add_events(store, split_event("a"))
    add_events(store, split_event("a"), split_event("b"), split_event("c"))

    receipt = store.receipts.get("rcp_2")
    assert receipt is not None
    assert (receipt.state, receipt.events) == (ReceiptState.SPLIT, 3)


def test_an_event_that_is_stored_already_is_a_duplicate(store: Store) -> None:
    add_events(store, split_event("a"))

    counted = add_events(store, split_event("b"), split_event("a"))

    assert counted == SplitCount(new=1, duplicates=1, differing=0)
    assert texts(store) == ["a", "b"]
    assert destinations(store) == ["crm", "crm"]


def test_an_event_twice_in_a_receipt_or_in_a_batch_is_stored_once(store: Store) -> None:
    first, second = receive(store, 2)
    split = [
        SplitReceipt(first, [split_event("a"), split_event("a")]),
        SplitReceipt(second, [split_event("a"), split_event("b")]),
    ]

    counted = store.events.add(claim_split(store), split, LEASE)

    assert counted == [SplitCount(1, 1, 0), SplitCount(1, 1, 0)]
    assert texts(store) == ["a", "b"]
    assert destinations(store) == ["crm", "crm"]


def with_item(event: SplitEvent, **changes: Any) -> SplitEvent:
    """The same event with these members of its item changed."""
    return replace(event, event=replace(event.event, raw={**event.event.raw, **changes}))


def test_a_known_message_with_other_content_is_an_edit_and_comes_out_once(store: Store) -> None:
    edit = with_item(split_event("a"), text={"body": "edited"})
    add_events(store, split_event("a"))

    counts = [add_events(store, edit), add_events(store, edit), add_events(store, split_event("a"))]

    assert counts == [SplitCount(1, 0, 0), SplitCount(0, 1, 0), SplitCount(0, 1, 0)]
    first, second = store.events.after(0, limit=9)
    assert [event.raw["text"]["body"] for event in (first, second)] == ["a", "edited"]
    assert first.id == event_id("a") != second.id
    assert destinations(store) == ["crm", "crm"]


def test_a_message_and_its_edits_in_one_batch_all_come_out(store: Store) -> None:
    edits = [with_item(split_event("a"), text={"body": f"edit {number}"}) for number in range(3)]

    count = add_events(store, split_event("a"), *edits, edits[0], split_event("a"))

    assert count == SplitCount(new=4, duplicates=2, differing=0)


def test_a_duplicate_with_other_members_is_counted_apart_and_shown_on_its_receipt(store: Store) -> None:
    add_events(store, split_event("a"))

    count = add_events(
        store, with_item(split_event("a"), context={"id": "wamid.0"}), split_event("b"), split_event("a")
    )

    assert count == SplitCount(new=1, duplicates=2, differing=1)
    receipts = store.receipts.page(state=None, before=None, limit=9)
    assert [(receipt.events, receipt.differing) for receipt in receipts] == [(3, 1), (1, 0)]


def test_an_edit_of_an_erased_event_does_not_come_out(store: Store) -> None:
    row = {"event_id": key_of(event_id("a")), "at": NOON}
    store.write(lambda c: c.execute(insert(erased_events).values(row)))

    assert add_events(store, with_item(split_event("a"), text={"body": "edited"})) == SplitCount(0, 1, 0)


def test_an_event_that_was_erased_with_its_customer_does_not_come_back(store: Store) -> None:
    row = {"event_id": key_of(event_id("a")), "at": NOON}
    store.write(lambda c: c.execute(insert(erased_events).values(row)))

    counted = add_events(store, split_event("a"), split_event("b"))

    assert counted == SplitCount(new=1, duplicates=1, differing=0)
    assert texts(store) == ["b"]


def test_a_receipt_that_is_split_again_adds_no_event_twice(store: Store) -> None:
    add_events(store, split_event("a"))
    store.receipts.reprocess("rcp_1")

    [receipt] = store.receipts.pending(limit=1, max_bytes=1)
    [counted] = store.events.add(
        claim_split(store), [SplitReceipt(receipt, [split_event("a"), split_event("b")])], LEASE
    )

    assert counted == SplitCount(new=1, duplicates=1, differing=0)
    assert texts(store) == ["a", "b"]
    assert destinations(store) == ["crm", "crm"]


def test_an_unreadable_receipt_has_a_reason_until_it_is_reprocessed(store: Store) -> None:
    [receipt] = receive(store)

    store.events.add(claim_split(store), [SplitReceipt(receipt, unreadable="no JSON\x00\ud800" + "!" * 300)], LEASE)

    assert [one.id for one in store.receipts.page(state=ReceiptState.UNREADABLE, before=None, limit=9)] == ["rcp_1"]
    assert store.receipts.reason("rcp_1") == ("no JSON??" + "!" * 300)[:200]
    store.receipts.reprocess("rcp_1")
    assert store.receipts.reason("rcp_1") is None


def test_a_receipt_can_be_unreadable_twice(store: Store) -> None:
    job = claim_split(store)
    for reason in ("no JSON", "still none"):
        [receipt] = receive(store) if reason == "no JSON" else store.receipts.pending(limit=1, max_bytes=1)
        store.events.add(job, [SplitReceipt(receipt, unreadable=reason)], LEASE)
        assert store.receipts.reason("rcp_1") == reason
        store.receipts.reprocess("rcp_1")


@pytest.mark.parametrize("receipt_id", ["rcp_1", "rcp_2", "rcp_", "", "evt_1", f"rcp_{2**63}"])
def test_a_readable_or_unknown_receipt_has_no_reason(store: Store, receipt_id: str) -> None:
    add_events(store, split_event("a"))

    assert store.receipts.reason(receipt_id) is None


def test_a_thousand_events_keep_their_order_to_every_destination(store: Store) -> None:
    names = [str(number) for number in range(1000)]

    add_events(store, *(split_event(name, to=("a", "b", "c")) for name in names))

    assert texts(store) == names
    assert destinations(store) == ["a", "b", "c"] * 1000
    query = select(jobs.c.subject).where(jobs.c.queue == "deliver:b").order_by(jobs.c.id)
    enqueued = store.database.read(lambda c: c.execute(query).scalars().all())
    assert enqueued == list(range(2, 3001, 3))


def test_a_worker_that_lost_the_split_job_adds_nothing(timed: Store, clock: Clock) -> None:
    [receipt] = receive(timed)
    stale = claim_split(timed)
    clock.advance(LEASE)
    claim_split(timed)

    with pytest.raises(ClaimLost):
        timed.events.add(stale, [SplitReceipt(receipt, [split_event("a")])], LEASE)

    assert texts(timed) == []
    assert destinations(timed) == []
    assert timed.receipts.has_pending()


@pytest.mark.parametrize("wa_id", ["\ud800", {"not": "a text"}], ids=["not encodable", "of a type without a column"])
def test_an_event_that_the_driver_cannot_take_is_refused_and_adds_nothing(store: Store, wa_id: Any) -> None:
    [receipt] = receive(store)
    job = claim_split(store)
    odd = split_event("odd")
    odd = replace(odd, event=replace(odd.event, contact=Contact(wa_id=wa_id)))
    split = SplitReceipt(receipt, [split_event("sound"), odd])

    accepts = store.events.accepts(job, split, LEASE)
    with pytest.raises(StoreRefused):
        store.events.add(job, [split], LEASE)

    assert not accepts
    assert texts(store) == []
    assert store.receipts.has_pending()


def test_adding_events_extends_the_lease(timed: Store, clock: Clock) -> None:
    receive(timed)
    job = claim_split(timed)
    clock.advance(LEASE - timedelta(seconds=1))

    timed.events.add(job, [], LEASE)

    clock.advance(LEASE - timedelta(seconds=1))
    assert claim(timed, SPLIT_QUEUE) == []
    clock.advance(timedelta(seconds=1))
    assert len(claim(timed, SPLIT_QUEUE)) == 1


class Crash(BaseException):
    """The process dies at this point."""


class CrashPoint:
    """A failpoint that does nothing until it is armed."""

    armed = False

    def __call__(self, point: str) -> None:
        if self.armed and point == "before_commit":
            raise Crash


def test_events_of_a_transaction_that_was_rolled_back_are_still_new(url: str, make_store: StoreMaker) -> None:
    crash = CrashPoint()
    store = make_store(url, on_failpoint=crash)
    [receipt] = receive(store)
    job = claim_split(store)
    split = [SplitReceipt(receipt, [split_event("a")])]

    crash.armed = True
    with pytest.raises(Crash):
        store.events.add(job, split, LEASE)
    crash.armed = False

    assert store.receipts.has_pending()
    assert store.events.add(job, split, AT_ONCE) == [SplitCount(new=1, duplicates=0, differing=0)]
    assert destinations(store) == ["crm"]


@pytest.mark.parametrize("kind", ["long" * 30, "nul\0", "half a pair \ud800"])
def test_an_event_that_the_database_refuses_takes_the_others_with_it(
    databases: Databases, make_store: StoreMaker, kind: str
) -> None:
    if databases.kind == "sqlite":
        pytest.skip("SQLite refuses no text")
    store = make_store(databases.migrated())

    with pytest.raises(StoreRefused, match="the database refused what it was given"):
        add_events(store, *map(split_event, range(20)), split_event("refused", kind=kind))

    assert store.events.latest() == 0
    assert store.jobs.next_due_in(CRM) is None


def test_hundreds_of_events_have_sequences_in_their_order(store: Store) -> None:
    add_events(store, split_event("first"))
    add_events(store, *map(split_event, range(600)))

    found = [event for after in (0, 400) for event in store.events.after(after, limit=400)]

    assert [event.sequence for event in found] == list(range(1, 602))
    assert [event.id for event in found[1:]] == [split_event(number).event.id for number in range(600)]
