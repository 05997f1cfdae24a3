"""Splitting on a database of each kind: what is odd about one receipt harms nothing behind it, and can be seen."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.domain.job import Retry
from app.domain.receipt import ReceiptState
from app.domain.split import SplitReceipt
from app.events.split import EVENTS_AT_ONCE, RECEIPTS_AT_ONCE, Splitter, in_batches
from app.metrics import Metrics
from app.store import Store
from tests.support.envelopes import NUMBER, batch, change, envelope, in_bytes, inbound_text
from tests.support.postgres import postgres_server
from tests.support.store import databases, make_store, new_receipt, store, url
from tests.support.work import AT_ONCE, LEASE, claim, claim_split, found, receive

__all__ = ["databases", "make_store", "postgres_server", "store", "url"]

THEIRS, CURSED = "5555555555", "1313131313"


@dataclass(frozen=True)
class Wish:
    """What a destination wants."""

    name: str = "crm"
    types: tuple[str, ...] = ("*",)
    phone_number_ids: tuple[str, ...] = ()
    ordering: str = "none"


class MistakenNumbers(frozenset[str]):
    """Numbers with a mistake of ours about one of them."""

    def __contains__(self, number: object) -> bool:
        if number == CURSED:
            raise ZeroDivisionError
        return super().__contains__(number)


def splitter(store: Store, *wishes: Wish, numbers: frozenset[str] = frozenset({NUMBER})) -> Splitter:
    destinations: Any = wishes or (Wish(),)
    return Splitter(store=store, metrics=Metrics(), phone_number_ids=numbers, destinations=destinations, lease=LEASE)


def split_all(store: Store, by: Splitter | None = None) -> Any:
    """One run of the splitter over what is pending."""
    [(job, task)] = (by or splitter(store)).prepare([claim_split(store)])
    settlement = task()
    store.jobs.settle([settlement])
    assert settlement.job == job
    return settlement.outcome


def put(store: Store, *bodies: bytes) -> None:
    store.receipts.add_all([new_receipt(body) for body in bodies])


def text(name: str, *, number: str = NUMBER, sender: str = "4915112345678") -> bytes:
    """A webhook with one message."""
    metadata = {"display_phone_number": "15550001111", "phone_number_id": number}
    return in_bytes(
        envelope(change(messages=[inbound_text(name, wamid=f"wamid.{name}", sender=sender)], metadata=metadata))
    )


def texts(store: Store) -> list[str]:
    return [event.data["text"]["body"] for event in store.events.after(0, limit=2000)]


def states(store: Store) -> list[tuple[ReceiptState, int]]:
    """Of each receipt, from the oldest: its state, and how many events were in it."""
    page = store.receipts.page(state=None, before=None, limit=200)
    return [(receipt.state, receipt.events) for receipt in reversed(page)]


SPLIT, UNREADABLE = (ReceiptState.SPLIT, 1), (ReceiptState.UNREADABLE, 0)


def test_receipts_are_split_in_the_order_in_which_they_came(store: Store) -> None:
    names = [str(number) for number in range(RECEIPTS_AT_ONCE + 7)]
    put(store, *map(text, names))

    outcome = split_all(store)

    assert outcome == Retry(AT_ONCE)
    assert texts(store) == names
    assert not store.receipts.has_pending()


def test_every_event_of_a_batch_gets_a_delivery_to_whoever_wants_it(store: Store) -> None:
    put(store, in_bytes(batch(1000)))

    split_all(store, splitter(store, Wish("all"), Wish("texts", types=("message.text",))))

    assert store.events.counts().total == 1000
    assert {name: each.waiting for name, each in store.deliveries.counts().items()} == {"all": 1000, "texts": 100}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff", "not UTF-8"),
        (b"", "not JSON"),
        (b'{"entry":', "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "nested too deeply"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", "an integer with too many digits"),
    ],
    ids=["bytes", "nothing", "half", "list", "deep", "very deep", "digits"],
)
def test_what_cannot_be_read_is_seen_and_harms_nothing_behind_it(store: Store, body: bytes, reason: str) -> None:
    put(store, text("before"), body, text("behind"))

    split_all(store)

    assert texts(store) == ["before", "behind"]
    assert states(store) == [SPLIT, UNREADABLE, SPLIT]
    assert store.receipts.reason("rcp_2") == reason


def test_a_mistake_of_ours_with_one_receipt_harms_nothing_behind_it(store: Store) -> None:
    put(store, text("before"), text("cursed", number=CURSED), text("behind"))

    split_all(store, splitter(store, numbers=MistakenNumbers({NUMBER})))

    assert texts(store) == ["before", "behind"]
    assert states(store) == [SPLIT, UNREADABLE, SPLIT]
    assert store.receipts.reason("rcp_2") == "wats failed on it with ZeroDivisionError"


def test_what_was_unreadable_is_delivered_once_the_mistake_is_mended(store: Store) -> None:
    put(store, text("cursed", number=CURSED))
    split_all(store, splitter(store, numbers=MistakenNumbers({NUMBER})))

    store.receipts.reprocess("rcp_1")
    split_all(store, splitter(store, numbers=frozenset({NUMBER, CURSED})))

    assert texts(store) == ["cursed"]
    assert states(store) == [SPLIT]
    assert store.receipts.reason("rcp_1") is None
    assert len(claim(store)) == 1


def test_what_the_database_refuses_is_seen_and_harms_nothing_behind_it(store: Store) -> None:
    store.database.write(lambda c: c.exec_driver_sql("CREATE UNIQUE INDEX one_of_each ON events (wa_id)"))
    put(store, text("a", sender="49151"), text("b", sender="49151"), text("c", sender="49152"))

    split_all(store)

    assert texts(store) == ["a", "c"]
    assert states(store) == [SPLIT, UNREADABLE, SPLIT]
    assert store.receipts.reason("rcp_2") == "the database refused what it was given"
    assert len(claim(store)) == 2


def test_an_event_of_a_number_that_is_not_listed_is_kept_and_goes_nowhere(store: Store) -> None:
    put(store, text("ours"), text("theirs", number=THEIRS))

    split_all(store)

    assert [event.foreign for event in store.events.after(0, limit=9)] == [False, True]
    assert store.events.counts().foreign == 1
    assert len(claim(store)) == 1


def test_an_event_of_no_number_is_not_foreign(store: Store) -> None:
    put(store, in_bytes(envelope({"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}})))

    split_all(store)

    assert [(event.type, event.foreign) for event in store.events.after(0, limit=9)] == [("account.update", False)]


def test_what_becomes_of_receipts_and_events_is_counted(store: Store) -> None:
    counting = splitter(store)
    put(store, text("a"), json.dumps(json.loads(text("a")), indent=1).encode(), text("b", number=THEIRS), b"nothing")

    split_all(store, counting)

    told = counting.metrics.exposition([]).decode()
    counts = {
        (sample.name, sample.labels.get("outcome")): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert [counts["wats_events_total", each] for each in ("new", "duplicate", "foreign")] == [1, 1, 1]
    assert counts["wats_unreadable_receipts_total", None] == 1


def test_a_splitter_that_lost_its_claim_splits_nothing_more(store: Store) -> None:
    put(store, text("a"))
    [(job, task)] = splitter(store).prepare([claim_split(store)])
    store.jobs.hand_back([job])

    settlement = task()

    assert store.jobs.settle([settlement]) == [False]
    assert states(store) == [(ReceiptState.PENDING, 0)]
    assert texts(store) == []


def test_few_events_share_a_transaction_with_others_and_many_do_not(store: Store) -> None:
    sizes = [1, EVENTS_AT_ONCE - 1, 1, EVENTS_AT_ONCE + 1, 0, 0]
    waiting = receive(store, len(sizes))
    event = found("same")
    receipts = [SplitReceipt(one, [event] * size) for one, size in zip(waiting, sizes, strict=True)]

    batches = [[len(one.events) for one in each] for each in in_batches(receipts)]

    assert batches == [[1, EVENTS_AT_ONCE - 1], [1], [EVENTS_AT_ONCE + 1], [0, 0]]
