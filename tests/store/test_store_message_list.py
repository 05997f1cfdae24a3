"""Messages are listed both ways: those of customers are read from events, in one order with those to customers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, event, text

from app.domain.event import Event
from app.domain.message import MessageStatus
from app.store import MessagePlace, MessageQuery, Store
from app.store.tables.events import document_of
from tests.support.events import new_event, put_events
from tests.support.messages import NUMBER, accept, new_message, webhook
from tests.support.store import NOON
from tests.support.work import Clock, add_events

PHONE = "4915112345678"
MINUTE = timedelta(minutes=1)


def wamids(store: Store, query: MessageQuery) -> list[list[str]]:
    """Return what the messages of each page are called: a text of ours, or a customer's wamid."""
    pages, place = [], MessagePlace()
    while place is not None:
        page = store.messages.both_ways(MessageQuery(**{**vars(query), "before": place}))
        pages.append([_name(item) for item in page.items])
        place = page.next
    return pages


def _name(item: Any) -> str:
    return str(item.raw["id"]) if isinstance(item, Event) else str(item.tracker)


def customer_writes(store: Store, wamid: str, *, sender: str = PHONE, at: str = "1767355200", **more: Any) -> None:
    written = {"id": wamid, "from": sender, "timestamp": at, "type": "text", "text": {"body": "hi"}}
    add_events(store, *webhook(messages=[{**written, **more}], contacts=[{"wa_id": sender}]))


def test_messages_of_both_ways_are_one_list(timed: Store, clock: Clock) -> None:
    for minute in range(3):
        clock.now = NOON + 2 * minute * MINUTE
        accept(timed, new_message(tracker=f"out {minute}"))
        put_events(timed, new_event(f"in {minute}"), received_at=clock.now + MINUTE)
    put_events(
        timed, new_event("read", kind="message.status.read"), new_event("moved", kind="contact.number_changed")
    )
    put_events(timed, new_event("foreign"), foreign=True)

    newest_first = [name for minute in (2, 1, 0) for name in (f"wamid.in {minute}", f"out {minute}")]
    assert wamids(timed, MessageQuery(limit=9)) == [newest_first]
    assert wamids(timed, MessageQuery(limit=4)) == [newest_first[:4], newest_first[4:]]
    assert wamids(timed, MessageQuery(limit=3)) == [newest_first[:3], newest_first[3:]]
    assert wamids(timed, MessageQuery(inbound=False, limit=2)) == [["out 2", "out 1"], ["out 0"]]
    assert wamids(timed, MessageQuery(outbound=False, limit=9)) == [newest_first[::2]]
    failed = MessageQuery(inbound=False, status=MessageStatus.FAILED, limit=9)
    assert wamids(timed, failed) == [[]]


def test_what_is_added_meanwhile_moves_no_later_page(store: Store) -> None:
    put_events(store, *(new_event(number) for number in range(4)))
    accept(store, new_message(tracker="out"))
    first = store.messages.both_ways(MessageQuery(limit=2))
    assert first.next is not None

    put_events(store, new_event("late"))
    accept(store, new_message(tracker="later"))
    rest = store.messages.both_ways(MessageQuery(before=first.next, limit=9))

    listed = [_name(item) for item in (*first.items, *rest.items)]
    assert (sorted(listed), rest.next) == (["out", *(f"wamid.{number}" for number in range(4))], None)


def test_a_conversation_has_the_messages_of_every_name_of_its_contact(store: Store) -> None:
    customer_writes(store, "wamid.1", from_user_id="DE.1")
    customer_writes(store, "wamid.2", sender="4915199")
    put_events(store, new_event("3", wa_id=None, user_id="DE.1"))
    accept(store, new_message(tracker="out", to="+4915112345678"))

    for name in (PHONE, "DE.1"):
        [page] = wamids(store, MessageQuery(contact=name, limit=9))
        assert set(page) == {"wamid.1", "wamid.3", "out"}
    assert wamids(store, MessageQuery(contact="4915199", limit=9)) == [["wamid.2"]]
    of_number = MessageQuery(contact=PHONE, phone_number_id=NUMBER, limit=9)
    assert set(wamids(store, of_number)[0]) == {"wamid.1", "out"}


def test_a_large_message_ends_its_page(store: Store) -> None:
    large = "x" * 5 * 1024 * 1024
    put_events(store, *(new_event(name, raw={"id": name, "text": large}) for name in ("a", "b", "c")))

    assert wamids(store, MessageQuery(limit=9)) == [["c"], ["b"], ["a"]]


def test_a_message_of_a_customer_is_found_by_its_wamid(store: Store) -> None:
    customer_writes(store, "wamid.HBg/=")
    add_events(store, *webhook(statuses=[{"id": "wamid.out", "status": "sent", "timestamp": "1767355200"}]))
    reply = {"type": "button_reply", "button_reply": {"id": "1", "title": "a"}}
    customer_writes(store, "wamid.reply", type="interactive", interactive=reply)

    found = store.messages.get_inbound("wamid.HBg/=", [NUMBER, "1"])

    assert found is not None
    assert (found.type, store.messages.get_inbound(found.id, [])) == ("message.text", found)
    by_wamid = store.messages.get_inbound("wamid.reply", [NUMBER])
    assert by_wamid is not None
    assert by_wamid.type == "message.interactive.button_reply"
    for message_id, numbers in (("wamid.HBg/=", ["1"]), ("wamid.out", [NUMBER]), ("x\0", [NUMBER])):
        assert store.messages.get_inbound(message_id, numbers) is None
    status = store.events.after(1, limit=1)[0].id
    assert store.messages.get_inbound(status, [NUMBER]) is None


MANY = 20_000
FILL = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, {many}))",
}
ROWS = (
    "INSERT INTO events (event_id, type, occurred_at, received_at, receipt, phone_number_id, wa_id, is_foreign,"
    " document) SELECT {key}, CASE WHEN i % 4 = 0 THEN 'message.text' ELSE 'message.status.sent' END, {at}, {at}, 1,"
    " '1', CAST(i % 500 AS text), {false}, :document FROM n"
)
SQLITE = {"key": "randomblob(16)", "at": "0", "false": "0"}
POSTGRES = {"key": "decode(md5(i::text), 'hex')", "at": "now()", "false": "false"}


def explained(store: Store, query: MessageQuery) -> str:
    """Return the plans of the statements on events by which the list is read."""
    statements: list[tuple[str, Any]] = []
    explain = "EXPLAIN QUERY PLAN" if store.kind == "sqlite" else "EXPLAIN"

    def read(connection: Connection) -> list[str]:
        rows = [connection.exec_driver_sql(f"{explain} {sql}", values).all() for sql, values in statements]
        return [str(row[-1]) for one in rows for row in one]

    def note(_c: object, _cursor: object, sql: str, values: Sequence[object], _context: object, _many: bool) -> None:
        if "FROM events" in sql and "RECURSIVE" not in sql:
            statements.append((sql, values))

    engine = store.database._reader  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", note)
    store.messages.both_ways(query)
    event.remove(engine, "before_cursor_execute", note)
    assert statements
    return "\n".join(store.database.read(read))


def test_the_list_reads_no_more_of_the_events_than_it_shows(store: Store) -> None:
    filled = FILL[store.kind].format(many=MANY) + " " + ROWS.format(**SQLITE if store.kind == "sqlite" else POSTGRES)
    if store.kind == "sqlite":
        filled = ROWS.format(**SQLITE).replace("SELECT", f"{FILL['sqlite'].format(many=MANY)} SELECT", 1)
    store.write(lambda c: c.execute(text(filled), {"document": document_of(new_event())}))
    if store.kind == "postgresql":
        store.write(lambda c: c.execute(text("ANALYZE events")))

    of_all, of_one = (explained(store, MessageQuery(outbound=False, contact=name, limit=50)) for name in (None, "7"))

    assert ("events_type" if store.kind == "sqlite" else "Index Scan Backward") in of_all
    assert "events_wa_id" in of_one
    for plan in (of_all, of_one):
        assert "SCAN events" not in plan
        assert "Seq Scan on events" not in plan
    assert "FOR ORDER BY" not in of_all
