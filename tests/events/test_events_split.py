"""Splitting on each kind of database: a receipt that cannot be read is marked, and the next ones are split."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from sqlalchemy import event as engine_event

from app.domain.event import Contact
from app.domain.job import Retry
from app.domain.meta.envelope import meta_envelope
from app.domain.receipt import ReceiptState
from app.domain.split import SplitReceipt
from app.domain.subscription import Ours
from app.domain.tracker import FIELD
from app.events.split import MAX_EVENTS_PER_TRANSACTION, MAX_RECEIPTS_PER_READ, Splitter, in_batches
from app.metrics import Metrics
from app.store import Store
from tests.support.envelopes import NUMBER, SENT, WABA, batch, change, envelope, in_bytes, inbound_text
from tests.support.messages import accept, new_message, status, tracker_of
from tests.support.store import databases, make_store, new_receipt, store, url
from tests.support.work import AT_ONCE, LEASE, claim, claim_split, receive, split_event

__all__ = ["databases", "make_store", "store", "url"]

THEIRS, CURSED, OTHER_OF_OURS = "5555555555", "1313131313", "1234567891"


@dataclass(frozen=True)
class Subscriber:
    """A destination's subscription."""

    name: str = "crm"
    types: tuple[str, ...] = ("*",)
    phone_number_ids: tuple[str, ...] = ()
    ordering: str = "none"
    format: str = "events"


class BrokenNumbers(frozenset[str]):
    """Numbers whose lookup raises for one of them, as a bug of ours would."""

    def __contains__(self, number: object) -> bool:
        if number == CURSED:
            raise ZeroDivisionError
        return super().__contains__(number)


def splitter(store: Store, *subscribers: Subscriber, numbers: frozenset[str] = frozenset({NUMBER})) -> Splitter:
    destinations: Any = subscribers or (Subscriber(),)
    ours = Ours(waba_ids=frozenset({WABA, OTHER_OF_OURS}), phone_number_ids=numbers)
    return Splitter(store=store, metrics=Metrics(), ours=ours, destinations=destinations, lease=LEASE)


def split_all(store: Store, by: Splitter | None = None) -> Any:
    """Run the splitter once over everything pending."""
    [(job, task)] = (by or splitter(store)).prepare([claim_split(store)])
    result = task()
    store.jobs.settle([result])
    assert result.job == job
    return result.outcome


def put(store: Store, *bodies: bytes) -> None:
    store.receipts.add_all([new_receipt(body) for body in bodies])


def text(name: str, *, number: str = NUMBER, sender: str = "4915112345678", **more: Any) -> bytes:
    """Build a webhook with one message."""
    metadata = {"display_phone_number": "15550001111", "phone_number_id": number}
    return in_bytes(
        envelope(
            change(messages=[inbound_text(name, wamid=f"wamid.{name}", sender=sender, **more)], metadata=metadata)
        )
    )


def texts(store: Store) -> list[str]:
    return [event.data["text"]["body"] for event in store.events.after(0, limit=2000)]


def states(store: Store) -> list[tuple[ReceiptState, int]]:
    """Return the state and the number of events of each receipt, oldest first."""
    page = store.receipts.page(state=None, before=None, limit=200)
    return [(receipt.state, receipt.events) for receipt in reversed(page)]


SPLIT, UNREADABLE = (ReceiptState.SPLIT, 1), (ReceiptState.UNREADABLE, 0)


def test_receipts_are_split_in_the_order_in_which_they_came(store: Store) -> None:
    names = [str(number) for number in range(MAX_RECEIPTS_PER_READ + 7)]
    put(store, *map(text, names))

    outcome = split_all(store)

    assert outcome == Retry(AT_ONCE)
    assert texts(store) == names
    assert not store.receipts.has_pending()


def test_every_event_of_a_batch_gets_a_delivery_to_each_subscribed_destination(store: Store) -> None:
    put(store, in_bytes(batch(1000)))

    split_all(store, splitter(store, Subscriber("all"), Subscriber("texts", types=("message.text",))))

    assert store.events.counts().total == 1000
    assert {name: counts.waiting for name, counts in store.deliveries.counts().items()} == {"all": 1000, "texts": 100}


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
def test_an_unreadable_receipt_is_marked_and_the_next_ones_are_split(store: Store, body: bytes, reason: str) -> None:
    put(store, text("before"), body, text("behind"))

    split_all(store)

    assert texts(store) == ["before", "behind"]
    assert states(store) == [SPLIT, UNREADABLE, SPLIT]
    assert store.receipts.reason("rcp_2") == reason


def test_an_internal_error_marks_its_receipt_and_the_next_ones_are_split(store: Store) -> None:
    put(store, text("before"), text("cursed", number=CURSED), text("behind"))

    split_all(store, splitter(store, numbers=BrokenNumbers({NUMBER})))

    assert texts(store) == ["before", "behind"]
    assert states(store) == [SPLIT, UNREADABLE, SPLIT]
    assert store.receipts.reason("rcp_2") == "internal error: ZeroDivisionError"


def test_a_reprocessed_receipt_is_delivered_once_the_error_is_fixed(store: Store) -> None:
    put(store, text("cursed", number=CURSED))
    split_all(store, splitter(store, numbers=BrokenNumbers({NUMBER})))

    store.receipts.reprocess("rcp_1")
    split_all(store, splitter(store, numbers=frozenset({NUMBER, CURSED})))

    assert texts(store) == ["cursed"]
    assert states(store) == [SPLIT]
    assert store.receipts.reason("rcp_1") is None
    assert len(claim(store)) == 1


def refuse_events(store: Store, column: str, value: object) -> None:
    """Let the database refuse each event with this value."""
    if store.kind == "sqlite":
        sql = (
            f"CREATE TRIGGER planted BEFORE INSERT ON events WHEN NEW.{column} = {value!r}"
            " BEGIN SELECT RAISE(ABORT, 'planted'); END"
        )
    else:
        sql = f"ALTER TABLE events ADD CONSTRAINT planted CHECK ({column} IS DISTINCT FROM {value!r})"
    store.write(lambda c: c.exec_driver_sql(sql))


def test_an_event_that_the_database_refuses_comes_out_as_unknown_and_its_siblings_as_themselves(store: Store) -> None:
    """In the middle of a batch of 1000."""
    refuse_events(store, "type", "message.sticker")
    body = batch(1000)
    [messages, statuses] = [change["value"] for change in body["entry"][0]["changes"]]
    messages["messages"][50]["type"] = "sticker"
    put(store, text("before"), in_bytes(body), text("behind"))

    split_all(store, splitter(store, Subscriber("crm"), Subscriber("texts", types=("message.text",))))

    before, *events, behind = store.events.after(0, limit=2000)
    assert (before.type, behind.type) == ("message.text", "message.text")
    assert [event.raw for event in events] == [*messages["messages"], *statuses["statuses"]]
    expected = ["message.text"] * 100 + ["message.status.delivered"] * 900
    expected[50] = "unknown.messages"
    assert [event.type for event in events] == expected
    assert (events[50].contact, events[50].data) == (events[49].contact, {})
    waiting = {name: counts.waiting for name, counts in store.deliveries.counts().items()}
    assert waiting == {"crm": 1002, "texts": 101}
    assert states(store) == [SPLIT, (ReceiptState.SPLIT, 1000), SPLIT]


def test_an_event_whose_names_the_database_refuses_comes_out_without_them(store: Store) -> None:
    refuse_events(store, "wa_id", "49151")
    put(store, text("a", sender="49151"), text("b", sender="49152"))

    split_all(store)

    refused, other = store.events.after(0, limit=9)
    assert (refused.type, refused.contact, refused.phone_number_id) == ("unknown.messages", Contact(), None)
    assert refused.raw["from"] == "49151"
    assert other.type == "message.text"


def test_an_event_of_another_account_stays_foreign_when_the_database_refuses_it(store: Store) -> None:
    refuse_events(store, "wa_id", "49151")
    put(store, text("theirs", number=THEIRS, sender="49151"))

    split_all(store)

    [refused] = store.events.after(0, limit=9)
    assert (refused.foreign, refused.phone_number_id) == (True, None)
    assert claim(store) == []


def test_a_receipt_of_which_the_database_refuses_everything_is_marked_and_the_next_ones_are_split(
    store: Store,
) -> None:
    refuse_events(store, "receipt", 2)
    put(store, text("a"), text("b"), text("c"))

    split_all(store)

    assert texts(store) == ["a", "c"]
    assert states(store) == [SPLIT, UNREADABLE, SPLIT]
    assert store.receipts.reason("rcp_2").startswith("the database refused what it was given (")
    assert len(claim(store)) == 2


@pytest.fixture
def broken_encoding() -> Iterator[None]:
    """A driver that cannot encode one phone number, and says so with an exception that is no database's."""

    def fail(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("INSERT INTO events") and "'49151'" in str(parameters):
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    engine_event.listen(Engine, "before_cursor_execute", fail)
    yield
    engine_event.remove(Engine, "before_cursor_execute", fail)


@pytest.mark.usefixtures("broken_encoding")
def test_an_event_that_the_driver_cannot_encode_holds_up_nothing(store: Store) -> None:
    put(store, text("a"), text("b", sender="49151"), text("c"))

    split_all(store)

    types = [event.type for event in store.events.after(0, limit=9)]
    assert types == ["message.text", "unknown.messages", "message.text"]
    assert states(store) == [SPLIT] * 3


TOO_LARGE = {
    "sqlite": "CREATE TRIGGER planted BEFORE INSERT ON events WHEN NEW.wa_id = '49151'"
    " BEGIN SELECT zeroblob(2000000000); END",
    "postgresql": """
    CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE 'index row size exceeds the maximum' USING ERRCODE = 'program_limit_exceeded'; END $$;
    CREATE TRIGGER planted BEFORE INSERT ON events
    FOR EACH ROW WHEN (NEW.wa_id = '49151') EXECUTE FUNCTION planted();
    """,
}


def test_what_exceeds_a_limit_of_the_database_holds_up_nothing(store: Store) -> None:
    """Of PostgreSQL the driver calls it an OperationalError, as it does a server that has no room or stops."""
    store.write(lambda c: c.exec_driver_sql(TOO_LARGE[store.kind]))
    put(store, text("a"), text("b", sender="49151"), text("c"))

    split_all(store)

    types = [event.type for event in store.events.after(0, limit=9)]
    assert types == ["message.text", "unknown.messages", "message.text"]
    assert states(store) == [SPLIT] * 3


def test_a_type_that_grows_when_it_is_made_lowercase_fits_into_its_column(store: Store) -> None:
    """The letter becomes two."""
    longest = inbound_text("a", wamid="wamid.a", type="\u0130" * 64)
    put(store, in_bytes(envelope(change(messages=[longest, inbound_text("b", wamid="wamid.b")]))))

    split_all(store)

    types = [event.type for event in store.events.after(0, limit=9)]
    assert types == ["message." + "i_" * 32, "message.text"]


def test_an_event_of_an_unlisted_number_is_stored_and_not_delivered(store: Store) -> None:
    put(store, text("ours"), text("theirs", number=THEIRS))

    split_all(store)

    assert [event.foreign for event in store.events.after(0, limit=9)] == [False, True]
    assert store.events.counts().foreign == 1
    assert len(claim(store)) == 1


TEMPLATE = {"field": "message_template_status_update", "value": {"event": "APPROVED", "message_template_id": 1}}


@pytest.mark.parametrize(
    ("body", "foreign"),
    [
        (envelope(TEMPLATE, waba_id=THEIRS), True),
        (envelope(change(messages=[inbound_text()]), waba_id=THEIRS), True),
        ({"object": "user", "entry": [{"id": "0", "time": SENT, "changed_fields": ["about"]}]}, True),
        (envelope(TEMPLATE, waba_id=WABA), False),
        (envelope(TEMPLATE, waba_id=OTHER_OF_OURS), False),
        (envelope(TEMPLATE, waba_id=None), False),
    ],
    ids=["template", "message", "other object", "ours", "another of ours", "no account"],
)
def test_an_event_of_an_unlisted_account_is_foreign(store: Store, body: Any, foreign: bool) -> None:
    put(store, in_bytes(body))

    split_all(store)

    assert [event.foreign for event in store.events.after(0, limit=9)] == [foreign]
    assert len(claim(store)) == (0 if foreign else 1)


def test_an_event_of_no_number_is_not_foreign(store: Store) -> None:
    put(store, in_bytes(envelope({"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}})))

    split_all(store)

    assert [(event.type, event.foreign) for event in store.events.after(0, limit=9)] == [("account.update", False)]


def test_new_duplicate_differing_and_foreign_events_and_unreadable_receipts_are_counted(store: Store) -> None:
    counting = splitter(store)
    again, differing = text("a").replace(b",", b", "), text("a", context={"id": "wamid.0"})
    put(store, text("a"), again, differing, text("b", number=THEIRS), b"nothing")

    split_all(store, counting)

    exposition = counting.metrics.exposition([]).decode()
    counts = {
        (sample.name, sample.labels.get("outcome")): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }
    outcomes = ("new", "duplicate", "differing", "foreign")
    assert [counts["wats_events_total", outcome] for outcome in outcomes] == [1, 1, 1, 1]
    assert counts["wats_unreadable_receipts_total", None] == 1


def test_a_splitter_that_lost_its_claim_stops(store: Store) -> None:
    put(store, text("a"))
    [(job, task)] = splitter(store).prepare([claim_split(store)])
    store.jobs.hand_back([job])

    result = task()

    assert store.jobs.settle([result]) == [False]
    assert states(store) == [(ReceiptState.PENDING, 0)]
    assert texts(store) == []


def test_receipts_share_a_transaction_up_to_the_maximum_of_events(store: Store) -> None:
    sizes = [1, MAX_EVENTS_PER_TRANSACTION - 1, 1, MAX_EVENTS_PER_TRANSACTION + 1, 0, 0]
    pending = receive(store, len(sizes))
    event = split_event("same")
    receipts = [SplitReceipt(receipt, [event] * size) for receipt, size in zip(pending, sizes, strict=True)]

    batches = [[len(receipt.events) for receipt in batch] for batch in in_batches(receipts)]

    assert batches == [[1, MAX_EVENTS_PER_TRANSACTION - 1], [1], [MAX_EVENTS_PER_TRANSACTION + 1], [0, 0]]


@pytest.mark.parametrize("own", ["order 7", None])
def test_a_status_has_the_clients_own_tracker_in_the_place_of_ours(store: Store, own: str | None) -> None:
    [message] = accept(store, new_message(tracker=own))
    ours, theirs = tracker_of(store, message), "wats1.0123456789abcdef.0123456789abcdef0123456789abcdef"
    sent = [status("wamid.A", "sent", tracker=tracker) for tracker in (ours, theirs)]
    sent[1]["id"] = "wamid.B"
    put(store, in_bytes(envelope(change(statuses=sent))))

    split_all(store)

    first, second = store.events.after(0, limit=9)
    assert (first.data.get("tracker"), second.data["tracker"]) == (own, theirs)
    assert (first.raw[FIELD], second.raw[FIELD]) == (ours, theirs)
    [in_envelope] = meta_envelope(first)["entry"][0]["changes"][0]["value"]["statuses"]
    assert in_envelope.get(FIELD) == own
    assert store.messages.get("wamid.A") is not None
