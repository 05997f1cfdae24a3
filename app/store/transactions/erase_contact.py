"""Erases a contact step by step: its events with their deliveries, and the bodies of receipts that name it.

What happened to other contacts stays. A body is cleared only when every event in it is stored by itself. The
receipt's row stays, so that the same bytes are recognised if Meta sends them again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, select, text, update

from app.domain.erasure import ContactName, EraseStep, has_any_name
from app.domain.receipt import ReceiptState
from app.store.tables.contact_names import conditions_of, does_not_belong_to
from app.store.tables.events import id_of
from app.store.tables.receipts import is_erased
from app.store.tables.schema import events, receipts
from app.store.tables.types import UtcDateTime
from app.store.transactions.delete_events import delete_events, delete_jobs_of, lock_open_deliveries
from app.store.transactions.prune import STEP_ROWS

SCAN_ROWS = 2000
SCAN_BYTES = 16 * 1024 * 1024

_REMEMBER = text(
    "INSERT INTO erased_events (event_id, at) SELECT event_id, :at FROM events WHERE id IN :ids"
    " ON CONFLICT (event_id) DO NOTHING"
).bindparams(bindparam("ids", expanding=True), bindparam("at", type_=UtcDateTime))

EventRow = Row[*tuple[Any, ...]]
"""An event's sequence and the row id of its receipt."""


def last_receipt_id(connection: Connection) -> int:
    """Return the id of the newest receipt, 0 if there is none."""
    return connection.execute(select(func.max(receipts.c.id))).scalar_one() or 0


def end_of_receipts(connection: Connection, after: int, last_id: int) -> int:
    """Return the id of the receipt up to which one step searches."""
    query = select(receipts.c.id, receipts.c.size).where(receipts.c.id > after, receipts.c.id <= last_id)
    return _end_of_scan(connection, after, query.order_by(receipts.c.id))


def end_of_events(connection: Connection, after: int) -> int:
    """Return the sequence up to which one step searches."""
    query = select(events.c.id, func.length(events.c.document).label("size")).where(events.c.id > after)
    return _end_of_scan(connection, after, query.order_by(events.c.id))


def receipts_with_name(connection: Connection, names: Sequence[ContactName], after: int, end: int) -> list[int]:
    """Return the ids of receipts in this range whose body has one of the contact's names."""
    query = select(receipts.c.id, receipts.c.body).where(receipts.c.id > after, receipts.c.id <= end)
    rows = connection.execute(query.where(_contains(connection, "body", names)))
    return [row.id for row in rows if has_any_name(bytes(row.body), names)]


def others_with_name(
    connection: Connection, names: Sequence[ContactName], after: int, end: int, last_receipt_id: int
) -> tuple[str, ...]:
    """Return the ids of the events in this range that name the contact, but are not about it."""
    in_range = and_(events.c.id > after, events.c.id <= end, events.c.receipt <= last_receipt_id)
    query = select(events.c.event_id, events.c.document).where(in_range, does_not_belong_to(names))
    rows = connection.execute(query.where(_contains(connection, "document", names)).order_by(events.c.id))
    return tuple(id_of(row.event_id) for row in rows if has_any_name(bytes(row.document), names))


def clear_body(connection: Connection, ids: Sequence[int]) -> EraseStep:
    """Clear the bodies of those of these receipts that are split, and count the others, which keep theirs.

    One with a state that only newer code knows counts as pending.
    """
    query = select(receipts.c.id, receipts.c.state).where(receipts.c.id.in_(ids))
    locked = connection.execute(query.order_by(receipts.c.id).with_for_update()).all()
    states = Counter(row.state for row in locked)
    split = [row.id for row in locked if row.state == ReceiptState.SPLIT]
    with_body = update(receipts).where(receipts.c.id.in_(split), receipts.c.size > 0, ~is_erased())
    cleared = connection.execute(with_body.values(body=b"")).rowcount
    unreadable = states[ReceiptState.UNREADABLE] + states[ReceiptState.DISMISSED]
    return EraseStep(receipts=cleared, pending=len(locked) - len(split) - unreadable, unreadable=unreadable)


def lock_next_events(connection: Connection, names: Sequence[ContactName]) -> Sequence[EventRow]:
    """Lock and return the next events of the contact: those of the last name that has any.

    Events that also have an earlier name come later, because they lead from that name to this one: by them an erasure
    that was interrupted finds it again.
    """
    for number, name in reversed(list(enumerate(names))):
        leads_to_none = does_not_belong_to(names[:number])
        for condition in conditions_of(name):
            query = select(events.c.id, events.c.receipt).where(condition, leads_to_none).order_by(events.c.id)
            if rows := connection.execute(query.limit(STEP_ROWS).with_for_update()).all():
                return rows
    return []


def erase_events(connection: Connection, rows: Sequence[EventRow], now: datetime) -> EraseStep:
    """Delete these locked events with their deliveries, keep only their ids, and clear the bodies they came in."""
    ids = [row.id for row in rows]
    delete_jobs_of(connection, lock_open_deliveries(connection, ids), ids, now)
    connection.execute(_REMEMBER, {"ids": ids, "at": now})
    deleted_events, deleted_deliveries = delete_events(connection, ids)
    cleared = clear_body(connection, sorted({row.receipt for row in rows}))
    return EraseStep(deleted_events, deleted_deliveries, receipts=cleared.receipts)


def _end_of_scan(connection: Connection, after: int, query: Select[Any]) -> int:
    """Return the last id of `SCAN_ROWS` rows or of `SCAN_BYTES` of them, but of one row at least."""
    end, size = after, 0
    for row in connection.execute(query.limit(SCAN_ROWS)):
        size += row.size
        if end > after and size > SCAN_BYTES:
            return end
        end = row.id
    return end


def _contains(connection: Connection, column: str, names: Sequence[ContactName]) -> ColumnElement[bool]:
    is_sqlite = connection.dialect.name == "sqlite"
    contains = "instr({column}, :{name}) > 0" if is_sqlite else "position(:{name} in {column}) > 0"
    parts = [contains.format(column=column, name=f"name{number}") for number in range(len(names))]
    values = {f"name{number}": name.text.encode() for number, name in enumerate(names)}
    return text(f"({' OR '.join(parts)})").bindparams(**values)  # type: ignore[return-value]
