"""Dead letters and unreadable receipts that an operator has dismissed, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from app.domain.delivery import DeliveryCounts, DeliveryState
from app.domain.dismissal import DismissStep, Period
from app.domain.job_result import JobResult
from app.domain.receipt import ReceiptState
from app.domain.replay import Selection
from app.domain.split import SplitReceipt
from app.store import Store
from app.store.tables.schema import deliveries
from tests.support.store import NOON
from tests.support.work import (
    AT_ONCE,
    LEASE,
    add_events,
    answered,
    claim,
    claim_split,
    dead,
    receive,
    retry,
    split_event,
)

ALL = Selection()


@pytest.fixture
def three_dead(store: Store) -> Store:
    """Three dead letters, and one delivery that waits."""
    add_events(store, *(split_event(number) for number in range(3)))
    store.jobs.settle([dead(job) for job in claim(store)])
    add_events(store, split_event("waits"))
    return store


def states(store: Store) -> list[str]:
    return [one.state.value for one in reversed(store.deliveries.page(limit=9))]


def test_a_discarded_dead_letter_counts_no_more_and_stays_listed(three_dead: Store) -> None:
    discarded = three_dead.deliveries.discard("dlv_2")

    assert discarded is not None
    assert discarded.state is DeliveryState.DISCARDED
    assert three_dead.deliveries.counts() == {"crm": DeliveryCounts(1, 2, NOON)}
    for chosen in ({}, {"destination": "crm"}):
        listed = three_dead.deliveries.page(state=DeliveryState.DISCARDED, limit=9, **chosen)
        assert [one.id for one in listed] == ["dlv_2"]


def test_only_a_dead_letter_is_discarded(three_dead: Store) -> None:
    for name in ("dlv_4", "dlv_99", "nonsense"):
        three_dead.deliveries.discard(name)

    assert states(three_dead) == ["dead", "dead", "dead", "waiting"]


def test_a_selection_is_counted_and_then_discarded_in_steps(three_dead: Store) -> None:
    trial = three_dead.deliveries.discard_some(ALL, after=0, limit=2, is_trial=True)
    first = three_dead.deliveries.discard_some(ALL, after=0, limit=2, is_trial=False)
    second = three_dead.deliveries.discard_some(ALL, after=first.next or 0, limit=2, is_trial=False)
    third = three_dead.deliveries.discard_some(ALL, after=0, limit=2, is_trial=False)

    assert (trial, first) == (DismissStep(2, 2), DismissStep(2, 2))
    assert (second, third) == (DismissStep(1, None), DismissStep(0, None))
    assert states(three_dead) == ["discarded", "discarded", "discarded", "waiting"]


def test_a_discarded_delivery_can_be_replayed(three_dead: Store) -> None:
    three_dead.deliveries.discard("dlv_1")

    replayed = three_dead.deliveries.replay("dlv_1")

    assert replayed is not None
    assert replayed.state is DeliveryState.WAITING


def put_unreadable(store: Store, number: int) -> None:
    job, pending = claim_split(store), receive(store, number)
    store.events.add(job, [SplitReceipt(one, unreadable="not JSON") for one in pending], LEASE)
    store.jobs.settle([retry(job, AT_ONCE)])


def test_a_dismissed_receipt_counts_no_more_and_stays_listed_with_its_reason(store: Store) -> None:
    put_unreadable(store, 2)

    dismissed = store.receipts.dismiss("rcp_1")

    assert dismissed is not None
    assert dismissed.state is ReceiptState.DISMISSED
    assert store.receipts.counts().unreadable == 1
    listed = store.receipts.page(state=ReceiptState.DISMISSED, before=None, limit=9)
    assert ([one.id for one in listed], store.receipts.reason("rcp_1")) == (["rcp_1"], "not JSON")


def test_a_dismissed_receipt_can_be_reprocessed_and_no_other_one_is_dismissed(store: Store) -> None:
    put_unreadable(store, 1)
    store.receipts.dismiss("rcp_1")

    reprocessed = store.receipts.reprocess("rcp_1")
    left_alone = store.receipts.dismiss("rcp_1")

    assert reprocessed == left_alone
    assert (left_alone and left_alone.state, store.receipts.dismiss("odd")) == (ReceiptState.PENDING, None)


def test_the_receipts_of_a_time_are_counted_and_then_dismissed_in_steps(store: Store) -> None:
    put_unreadable(store, 3)
    none = Period(until=NOON)

    assert store.receipts.dismiss_some(none, after=0, limit=9, is_trial=False) == DismissStep(0, None)
    assert store.receipts.dismiss_some(Period(since=NOON), after=0, limit=2, is_trial=True) == DismissStep(2, 2)
    assert store.receipts.dismiss_some(Period(), after=0, limit=2, is_trial=False) == DismissStep(2, 2)
    assert store.receipts.dismiss_some(Period(), after=2, limit=2, is_trial=False) == DismissStep(1, None)
    assert store.receipts.counts().unreadable == 0


def test_the_answer_is_kept_with_the_attempt_in_the_four_values_of_former_releases(store: Store) -> None:
    add_events(store, split_event("a"))
    [job] = claim(store)
    failed = retry(job, AT_ONCE)
    store.jobs.settle([replace(failed, attempt=replace(answered(422), answer="no such key"))])
    [job] = claim(store)
    store.jobs.settle([JobResult(job, failed.outcome, answered(500))])

    delivery = store.deliveries.get("dlv_1")

    assert delivery is not None
    assert [(one.status, one.error, one.answer) for one in delivery.attempts] == [
        (422, None, "no such key"),
        (500, None, None),
    ]
    column = b'[["2026-01-02T12:00:00+00:00",500,"timed out",12]]'
    store.write(lambda c: c.execute(update(deliveries).values(attempts=column)))
    [old] = store.deliveries.page(limit=1)
    assert [(one.error, one.answer) for one in old.attempts] == [("timed out", None)]
