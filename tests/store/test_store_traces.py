"""The trace of a request goes on with what it has brought: the same facts on SQLite and on PostgreSQL."""

from dataclasses import replace

from app.domain.outbound_event import asked_for
from app.domain.split import SplitReceipt
from app.domain.trace import TraceContext
from app.store import Store
from tests.support.messages import accept, new_message
from tests.support.sends import reserve
from tests.support.store import StoreMaker, new_receipt
from tests.support.work import CRM, LEASE, Clock, claim, claim_split, split_event


def test_a_receipts_trace_goes_on_to_the_deliveries_of_its_events(store: Store) -> None:
    trace = TraceContext.new()
    store.receipts.add_all([replace(new_receipt(b"a"), trace=trace), new_receipt(b"b")])

    receipts = store.receipts.pending(limit=10, max_bytes=1000)
    split = [SplitReceipt(receipt, [split_event(receipt.id)]) for receipt in receipts]
    store.events.add(claim_split(store), split, LEASE, None)

    jobs = claim(store, CRM)
    pushed = [loaded[1] for loaded in store.deliveries.load(jobs).values() if loaded is not None]
    assert [event.followed for event in pushed] == [trace, TraceContext.of_id(pushed[1].id.removeprefix("evt_"))]


def test_a_messages_trace_goes_on_to_its_attempt_and_to_its_own_events(url: str, make_store: StoreMaker) -> None:
    store = make_store(url, recorded=asked_for(["outbound.*"]))
    trace = TraceContext.new()
    sent, without = accept(store, new_message()._replace(trace=trace), new_message(to="+4915112345679"))

    reserved = {one.message.id: one.trace for _, one in reserve(store).reserved}

    assert reserved == {sent.id: trace, without.id: None}
    assert {change.data["messageId"]: change.trace for change in store.outbound.pending(10).values()} == reserved


def test_a_message_whose_worker_has_died_keeps_its_trace(timed: Store, clock: Clock) -> None:
    trace = TraceContext.new()
    [message] = accept(timed, new_message()._replace(trace=trace))
    reserve(timed)
    clock.advance(2 * LEASE)

    [ended] = reserve(timed).ended

    assert (ended.message and ended.message.id, ended.trace) == (message.id, trace)
