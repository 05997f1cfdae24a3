"""Receipts that wait to be split, and the events found in them: the same facts on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from app.domain.delivery import DeliveryState
from app.domain.job import SPLIT_QUEUE
from app.domain.receipt import ReceiptState
from app.domain.split import PendingReceipt, SplitCount, SplitReceipt
from app.store import ClaimLost, Store
from app.store.tables.events import key_of
from app.store.tables.schema import erased_events, jobs
from tests.support.events import event_id
from tests.support.store import NOON, StoreMaker, new_receipt
from tests.support.work import (
    AT_ONCE,
    CRM,
    LEASE,
    Clock,
    claim,
    claim_split,
    found,
    put_in,
    receive,
)


def pending(store: Store, *, limit: int = 100, max_bytes: int = 1000) -> list[bytes]:
    return [receipt.body for receipt in store.receipts.pending(limit=limit, max_bytes=max_bytes)]


def texts(store: Store) -> list[str]:
    """The texts of all events, in the order of their sequences."""
    return [event.data["text"] for event in store.events.after(0, limit=10_000)]


def destinations(store: Store) -> list[str]:
    """Where to each delivery goes, the first made first."""
    return [delivery.destination for delivery in reversed(store.deliveries.page(limit=10_000))]


def test_pending_receipts_come_oldest_first_as_they_were_received(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"a", minute=2), new_receipt(b"b", minute=1)])

    waiting = store.receipts.pending(limit=10, max_bytes=1000)

    a = bytes.fromhex("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
    assert waiting[0] == PendingReceipt("rcp_1", NOON + timedelta(minutes=2), a, b"a")
    assert [receipt.body for receipt in waiting] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("limit", "max_bytes", "told"),
    [(10, 99, 4), (3, 99, 3), (10, 10, 4), (10, 9, 3), (10, 6, 2), (10, 3, 1), (10, 0, 1)],
)
def test_as_many_pending_receipts_come_as_fit_but_always_one(
    store: Store, limit: int, max_bytes: int, told: int
) -> None:
    store.receipts.add_all([new_receipt(body) for body in (b"333", b"22", b"4444", b"1")])

    assert len(pending(store, limit=limit, max_bytes=max_bytes)) == told


def test_nothing_is_pending_where_everything_is_split(store: Store) -> None:
    assert not store.receipts.has_pending()
    store.receipts.add(new_receipt())
    assert store.receipts.has_pending()

    [receipt] = store.receipts.pending(limit=1, max_bytes=1)
    store.events.add(claim_split(store), [SplitReceipt(receipt)], LEASE)

    assert not store.receipts.has_pending()
    assert pending(store) == []


def test_an_event_is_kept_as_it_was_found(store: Store) -> None:
    counted = put_in(store, found("hi"))

    event = store.events.get(event_id("hi"))
    assert counted == SplitCount(new=1, duplicates=0)
    assert event is not None
    assert {name: getattr(event, name) for name in vars(found("hi").event)} == vars(found("hi").event)
    assert (event.sequence, event.receipt_id, event.received_at, event.foreign) == (1, "rcp_1", NOON, False)


def test_an_event_gets_a_delivery_and_a_job_for_each_destination(store: Store) -> None:
    put_in(store, found("hi", to=("crm", "bot")))

    made = store.deliveries.page(limit=10)
    assert [(one.destination, one.event_id, one.state) for one in made] == [
        ("bot", event_id("hi"), DeliveryState.WAITING),
        ("crm", event_id("hi"), DeliveryState.WAITING),
    ]
    assert [depth.queue for depth in store.jobs.depths()] == ["deliver:bot", CRM, "prune", SPLIT_QUEUE]


def test_a_foreign_event_is_kept_and_goes_nowhere(store: Store) -> None:
    put_in(store, found("theirs", foreign=True))

    event = store.events.get(event_id("theirs"))
    assert event is not None
    assert event.foreign
    assert destinations(store) == []


def test_a_receipt_tells_how_many_events_were_in_it(store: Store) -> None:
    put_in(store, found("a"))
    put_in(store, found("a"), found("b"), found("c"))

    receipt = store.receipts.get("rcp_2")
    assert receipt is not None
    assert (receipt.state, receipt.events) == (ReceiptState.SPLIT, 3)


def test_an_event_that_came_before_is_a_duplicate(store: Store) -> None:
    put_in(store, found("a"))

    counted = put_in(store, found("b"), found("a"))

    assert counted == SplitCount(new=1, duplicates=1)
    assert texts(store) == ["a", "b"]
    assert destinations(store) == ["crm", "crm"]


def test_an_event_twice_in_a_receipt_or_in_a_batch_is_kept_once(store: Store) -> None:
    first, second = receive(store, 2)
    split = [SplitReceipt(first, [found("a"), found("a")]), SplitReceipt(second, [found("a"), found("b")])]

    counted = store.events.add(claim_split(store), split, LEASE)

    assert counted == [SplitCount(1, 1), SplitCount(1, 1)]
    assert texts(store) == ["a", "b"]
    assert destinations(store) == ["crm", "crm"]


def test_an_event_that_was_erased_with_its_customer_does_not_come_back(store: Store) -> None:
    row = {"event_id": key_of(event_id("a")), "at": NOON}
    store.write(lambda c: c.execute(insert(erased_events).values(row)))

    counted = put_in(store, found("a"), found("b"))

    assert counted == SplitCount(new=1, duplicates=1)
    assert texts(store) == ["b"]


def test_a_receipt_that_is_split_again_brings_nothing_twice(store: Store) -> None:
    put_in(store, found("a"))
    store.receipts.reprocess("rcp_1")

    [receipt] = store.receipts.pending(limit=1, max_bytes=1)
    [counted] = store.events.add(claim_split(store), [SplitReceipt(receipt, [found("a"), found("b")])], LEASE)

    assert counted == SplitCount(new=1, duplicates=1)
    assert texts(store) == ["a", "b"]
    assert destinations(store) == ["crm", "crm"]


def test_a_receipt_that_cannot_be_read_says_why_until_it_is_put_back_in_line(store: Store) -> None:
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
def test_what_can_be_read_or_is_unknown_has_no_reason(store: Store, receipt_id: str) -> None:
    put_in(store, found("a"))

    assert store.receipts.reason(receipt_id) is None


def test_a_thousand_events_keep_their_order_to_every_destination(store: Store) -> None:
    names = [str(number) for number in range(1000)]

    put_in(store, *(found(name, to=("a", "b", "c")) for name in names))

    assert texts(store) == names
    assert destinations(store) == ["a", "b", "c"] * 1000
    query = select(jobs.c.subject).where(jobs.c.queue == "deliver:b").order_by(jobs.c.id)
    in_line = store.database.read(lambda c: c.execute(query).scalars().all())
    assert in_line == list(range(2, 3001, 3))


def test_who_lost_the_splitting_job_adds_nothing(timed: Store, clock: Clock) -> None:
    [receipt] = receive(timed)
    stale = claim_split(timed)
    clock.advance(LEASE)
    claim_split(timed)

    with pytest.raises(ClaimLost):
        timed.events.add(stale, [SplitReceipt(receipt, [found("a")])], LEASE)

    assert texts(timed) == []
    assert destinations(timed) == []
    assert timed.receipts.has_pending()


def test_adding_events_makes_the_lease_begin_anew(timed: Store, clock: Clock) -> None:
    receive(timed)
    job = claim_split(timed)
    clock.advance(LEASE - timedelta(seconds=1))

    timed.events.add(job, [], LEASE)

    clock.advance(LEASE - timedelta(seconds=1))
    assert claim(timed, SPLIT_QUEUE) == []
    clock.advance(timedelta(seconds=1))
    assert len(claim(timed, SPLIT_QUEUE)) == 1


class Crash(Exception):
    """The process ends here."""


class CrashPoint:
    """Lets every point pass until it is armed."""

    armed = False

    def __call__(self, point: str) -> None:
        if self.armed and point == "before_commit":
            raise Crash


def test_what_is_not_committed_is_new_the_next_time(url: str, make_store: StoreMaker) -> None:
    crash = CrashPoint()
    store = make_store(url, on_failpoint=crash)
    [receipt] = receive(store)
    job = claim_split(store)
    split = [SplitReceipt(receipt, [found("a")])]

    crash.armed = True
    with pytest.raises(Crash):
        store.events.add(job, split, LEASE)
    crash.armed = False

    assert store.receipts.has_pending()
    assert store.events.add(job, split, AT_ONCE) == [SplitCount(new=1, duplicates=0)]
    assert destinations(store) == ["crm"]
