"""Pages of events that a filter chooses: the right ones, and on a big table without reading it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from app.domain.event import Event
from app.domain.event_filter import EventFilter
from app.store import Store
from app.store.tables.event_list import WINDOW, Range, page_of_events
from app.store.tables.events import document_of
from app.store.tables.schema import event_names, events
from tests.support.events import event_id, new_event, put_events
from tests.support.store import NOON

BIG = 4 * WINDOW
MAX_READ = 2 * WINDOW
"""How many rows of the big table a page may read, all its statements together."""

SMALL = 10
RARE_NUMBER, RARE_TYPE = "rare", "call.connect"


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def texts(found: Sequence[Event]) -> list[str]:
    return [each.data["text"] for each in found]


def put(store: Store, name: str, second: float = 0, *, number: str = "9876543210", **facts: Any) -> None:
    receipt = facts.pop("receipt", 1)
    one = replace(new_event(name, **facts), phone_number_id=number)
    put_events(store, one, received_at=at(second), receipt=receipt)


@pytest.fixture
def filled(store: Store) -> Store:
    """Events a to f. The clock was set back after c, and the receipt of f was reprocessed: it came before all."""
    put(store, "a", 10)
    put(store, "b", 20, kind="call.connect", user_id="DE.123456", wa_id=None)
    put(store, "c", 900, number="other", receipt=2)
    put(store, "d", 30, wa_id="4915112345678", user_id="DE.123456")
    put(store, "e", 40, kind="message.image", receipt=2, wa_id="15550001111")
    put(store, "f", 1, kind="message.status.read", number="other")
    return store


CHOSEN = {
    EventFilter(): "abcdef",
    EventFilter(since=at(30)): "cde",
    EventFilter(until=at(20)): "af",
    EventFilter(since=at(10), until=at(30)): "ab",
    EventFilter(since=at(901)): "",
    EventFilter(contact="4915112345678"): "abcdf",  # d leads to the user id, under which b stands alone
    EventFilter(contact="DE.123456"): "abcdf",
    EventFilter(contact="4915112345678", types=("message.*",), since=at(5)): "acd",
    EventFilter(contact="nobody-knows"): "",
    EventFilter(phone_number_id="other"): "cf",
    EventFilter(phone_number_id="other", types=("*.text",)): "c",
    EventFilter(phone_number_id="9876543210", types=("call.*", "message.image")): "be",
    EventFilter(phone_number_id="other", contact="4915112345678", until=at(800)): "f",
    EventFilter(receipt_id="rcp_2"): "ce",
    EventFilter(receipt_id="rcp_2", contact="15550001111"): "e",
    EventFilter(receipt_id="rcp_2", types=("message.text",)): "c",
    EventFilter(receipt_id="rcp_99"): "",
    EventFilter(types=("call.*", "message.status.*")): "bf",
    EventFilter(types=("*",), since=at(35), phone_number_id="9876543210"): "e",
}


def test_a_filter_chooses_events_in_both_orders(filled: Store) -> None:
    oldest = {chosen: "".join(texts(filled.events.after(0, chosen, limit=9))) for chosen in CHOSEN}
    newest = {chosen: "".join(texts(filled.events.before(None, chosen, limit=9))) for chosen in CHOSEN}

    assert oldest == CHOSEN
    assert newest == {chosen: names[::-1] for chosen, names in CHOSEN.items()}


def test_pages_follow_each_other_in_both_orders(filled: Store) -> None:
    chosen = EventFilter(since=at(5))

    first = filled.events.after(0, chosen, limit=2)
    last = filled.events.before(None, chosen, limit=2)

    assert texts(filled.events.after(first[-1].sequence, chosen, limit=9)) == ["c", "d", "e"]
    assert texts(filled.events.before(last[-1].sequence, chosen, limit=9)) == ["c", "b", "a"]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """A big table, one event a second. Few events are of a rare type or number, and these are old."""

    def row(number: int) -> dict[str, Any]:
        is_rare = number % (BIG // SMALL) == 7 and number < BIG // 2
        return {
            "event_id": bytes.fromhex(event_id(number)[4:]),
            "type": RARE_TYPE if is_rare else "message.text",
            "occurred_at": at(number),
            "received_at": at(number),
            "receipt": number,
            "waba_id": None,
            "phone_number_id": RARE_NUMBER if is_rare else "9876543210",
            "wa_id": f"49151{number // SMALL}",
            "user_id": None,
            "is_foreign": False,
            "document": document_of(new_event()),
        }

    return [row(number) for number in range(1, BIG + 1)]


@pytest.fixture
def big(store: Store, rows: list[dict[str, Any]]) -> Store:
    def fill(connection: Connection) -> None:
        connection.execute(insert(events), rows)
        connection.execute(insert(event_names), [{"event": 5, "name": "491510"}])
        connection.exec_driver_sql("ANALYZE")

    store.write(fill)
    return store


FILTERS = {
    "all": EventFilter(),
    "the newest hour": EventFilter(since=at(BIG - 60)),
    "an hour long ago": EventFilter(since=at(BIG // 2), until=at(BIG // 2 + 60)),
    "until long ago": EventFilter(until=at(60)),
    "a rare type": EventFilter(types=(RARE_TYPE,)),
    "a rare type of an hour": EventFilter(types=(RARE_TYPE,), since=at(5), until=at(9)),
    "a rare type that is new": EventFilter(types=(RARE_TYPE,), since=at(BIG - 60)),
    "a rare number": EventFilter(phone_number_id=RARE_NUMBER),
    "a type that a number has rarely": EventFilter(phone_number_id="9876543210", types=(RARE_TYPE,)),
    "a contact": EventFilter(contact="491510"),
    "a contact's messages": EventFilter(contact="491510", types=("message.*",), phone_number_id="9876543210"),
    "a contact and an hour": EventFilter(contact="491510", since=at(0), until=at(BIG)),
    "a receipt": EventFilter(receipt_id="rcp_77"),
    "a receipt and more": EventFilter(
        receipt_id="rcp_77", types=("message.*",), phone_number_id="9876543210", contact="491517"
    ),
}


def test_no_page_of_a_big_table_reads_more_than_a_part_of_it(big: Store) -> None:
    read = {
        (name, within.newest_first): big.database.read(
            lambda c, chosen=chosen, within=within: rows_read(c, chosen, within)
        )
        for name, chosen in FILTERS.items()
        for within in (Range(), Range(newest_first=True))
    }

    assert {case: count for case, count in read.items() if count > MAX_READ} == {}


def rows_read(connection: Connection, chosen: EventFilter, within: Range) -> int:
    """Return how many rows the database reads, of tables and indexes, for a page of `SMALL` events."""
    if connection.dialect.name == "sqlite":
        return sum(1 for _ in _steps(connection, chosen, within)) * _STEP_OPERATIONS // _OPERATIONS_OF_ROW
    statements: dict[str, Any] = {}

    def note(_c: object, _cursor: object, sql: str, values: Any, _context: object, _many: bool) -> None:
        statements[f"{sql} -- {len(statements)}"] = values

    event.listen(connection, "before_cursor_execute", note)
    page_of_events(connection, chosen, within, SMALL)
    event.remove(connection, "before_cursor_execute", note)
    explain = "EXPLAIN (ANALYZE, FORMAT JSON) "
    plans = [connection.exec_driver_sql(explain + sql, values).scalar_one() for sql, values in statements.items()]
    return sum(_rows_of(plan[0]["Plan"]) for plan in plans)


_STEP_OPERATIONS, _OPERATIONS_OF_ROW = 100, 8
"""SQLite reports after this many operations of its machine; a row that is read and left out takes as many."""


def _steps(connection: Connection, chosen: EventFilter, within: Range) -> Iterator[None]:
    steps: list[None] = []
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.set_progress_handler(lambda: steps.append(None), _STEP_OPERATIONS)
    page_of_events(connection, chosen, within, SMALL)
    raw.set_progress_handler(None, _STEP_OPERATIONS)
    return iter(steps)


def _rows_of(plan: dict[str, Any]) -> int:
    """Return how many rows the scans of a plan read."""
    below = sum(map(_rows_of, plan.get("Plans", [])))
    if "Scan" not in plan["Node Type"]:
        return below
    loops = int(plan["Actual Loops"])
    return below + loops * int(plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
