"""Events are read, and consumers remembered: the same facts on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest

from app.domain.event import Position
from app.domain.event_filter import EventFilter
from app.store import Store
from app.store.consumers import MAX_CONSUMERS
from app.store.tables.schema import consumers as consumers_table
from tests.support.events import event_id, new_event, put_events
from tests.support.store import NOON

ODD = {"text": "\x00\ud800 é 😀", "digits": 12345678901234567890123, "float": 1e300, "deep": [[[{}]]]}


def names(store: Store, after: int = 0, *, types: tuple[str, ...] = (), limit: int = 100) -> list[str]:
    """Return the texts of the events after a sequence."""
    return [event.data["text"] for event in store.events.after(after, EventFilter(types=types), limit=limit)]


def test_an_event_is_read_as_it_was_added(store: Store) -> None:
    new = new_event("hi", user_id="US.1", raw=ODD)
    put_events(store, new, receipt=7, foreign=True)

    event = store.events.get(new.id)

    assert event is not None
    assert (event.sequence, event.receipt_id, event.received_at, event.foreign) == (1, "rcp_7", NOON, True)
    assert {name: getattr(event, name) for name in new.__dataclass_fields__} == vars(new)


@pytest.mark.parametrize("unknown", [event_id("other"), "evt_", "", "evt_" + "g" * 32, "evt_" + "0" * 33, "rcp_1"])
def test_an_unknown_id_names_no_event(store: Store, unknown: str) -> None:
    put_events(store, new_event())

    assert store.events.get(unknown) is None


def test_events_come_oldest_first_after_a_sequence(store: Store) -> None:
    put_events(store, *map(new_event, "abcde"))

    assert names(store, 0, limit=2) == ["a", "b"]
    assert names(store, 2, limit=2) == ["c", "d"]
    assert names(store, 4, limit=2) == ["e"]
    assert names(store, 5, limit=2) == []
    assert store.events.latest() == 5


@pytest.mark.parametrize(
    ("types", "matching"),
    [
        (("message.text",), ["a", "d"]),
        (("message.*",), ["a", "b", "d"]),
        (("message.?mage", "call.*"), ["b", "c"]),
        (("*",), ["a", "b", "c", "d", "e"]),
        (("call.*", "*"), ["a", "b", "c", "d", "e"]),
        (("*.connect",), ["c"]),
        (("Message.*",), []),
        (("nothing",), []),
        (("unknown.F_1%",), []),
    ],
)
def test_globs_select_types(store: Store, types: tuple[str, ...], matching: list[str]) -> None:
    kinds = {"a": "message.text", "b": "message.image", "c": "call.connect", "d": "message.text", "e": "unknown.F_12"}
    put_events(store, *[new_event(name, kind=kind) for name, kind in kinds.items()])

    assert names(store, types=types) == matching
    assert names(store, types=types, limit=1) == matching[:1]


def test_a_page_of_large_events_is_shorter(store: Store) -> None:
    large = "x" * 3_000_000
    put_events(
        store, *[new_event(name, raw=large) for name in "abc"], new_event("huge", raw=large * 3), new_event("z")
    )

    assert names(store, 0) == ["a", "b"]
    assert names(store, 2) == ["c"]
    assert names(store, 3) == ["huge"]
    assert names(store, 4) == ["z"]


def test_counts_include_foreign_events(store: Store) -> None:
    empty = store.events.counts()
    put_events(store, new_event("a"), new_event("b"))
    put_events(store, new_event("c"), foreign=True)

    counts = store.events.counts()

    assert (empty.total, empty.foreign, counts.total, counts.foreign) == (0, 0, 3, 1)


def test_the_latest_sequence_of_an_empty_store_is_0(store: Store) -> None:
    assert store.events.latest() == 0


def test_a_position_is_confirmed_while_its_sequence_is_not_another_events(store: Store) -> None:
    put_events(store, *map(new_event, "abc"))
    [*_, b, c] = [event.position for event in store.events.after(0, limit=3)]
    store.write(lambda connection: connection.exec_driver_sql("DELETE FROM events WHERE id = 2"))

    assert store.events.confirmed(c) == store.events.confirmed(Position(3)) == store.events.latest_position() == c
    assert store.events.confirmed(Position(3, b.mark)) is None
    assert store.events.confirmed(b) == b
    assert store.events.confirmed(Position(4, c.mark)) is None


def test_an_unknown_consumer_begins_at_the_start(store: Store) -> None:
    assert store.consumers.cursor("crm") == 0
    assert store.consumers.get("crm") is None


def test_a_consumer_may_move_forwards_and_back(store: Store) -> None:
    cursors = []
    for cursor in (5, 9, 2):
        store.consumers.ack("crm", cursor)
        cursors.append(store.consumers.cursor("crm"))

    assert cursors == [5, 9, 2]
    assert store.consumers.cursor("other") == 0


def test_a_consumer_shows_its_lag(store: Store) -> None:
    put_events(store, *map(new_event, "abc"))
    put_events(store, new_event("d"), received_at=NOON + timedelta(minutes=1))
    store.consumers.ack("at the end", 4)
    store.consumers.ack("behind", 3)
    store.consumers.ack("from the start", 0)

    lags = {one.name: (one.lag, one.oldest_unread_at) for one in store.consumers.page(after=None, limit=9)}

    assert lags == {
        "at the end": (0, None),
        "behind": (1, NOON + timedelta(minutes=1)),
        "from the start": (4, NOON),
    }


def test_the_lag_does_not_count_events_that_were_pruned(store: Store) -> None:
    put_events(store, *map(new_event, "abcd"))
    store.write(lambda c: c.exec_driver_sql("DELETE FROM events WHERE id < 4"))
    store.consumers.ack("crm", 1)

    consumer = store.consumers.get("crm")

    assert consumer is not None
    assert consumer.lag == 1


def test_consumers_are_listed_by_name(store: Store) -> None:
    for name in "bca":
        store.consumers.ack(name, 1)

    first = [one.name for one in store.consumers.page(after=None, limit=2)]
    second = [one.name for one in store.consumers.page(after="b", limit=2)]

    assert (first, second) == (["a", "b"], ["c"])


def test_a_deleted_consumer_begins_at_the_start_again(store: Store) -> None:
    store.consumers.ack("crm", 3)

    deleted = store.consumers.delete("crm"), store.consumers.delete("crm")

    assert deleted == (True, False)
    assert store.consumers.cursor("crm") == 0


def test_the_number_of_consumers_is_limited(store: Store) -> None:
    rows = [{"name": f"c{number}", "cursor": 0, "updated_at": NOON} for number in range(MAX_CONSUMERS)]
    store.write(lambda c: c.execute(consumers_table.insert(), rows))

    assert store.consumers.ack("one more", 1) is False
    assert store.consumers.ack("c7", 1) is True
    assert store.consumers.cursor("one more") == 0
