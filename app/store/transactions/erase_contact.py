"""Erases a contact step by step: its events with their deliveries, and the bodies of receipts that name it.

What happened to other contacts stays. A body is cleared only when every event in it is stored by itself. The
receipt's row stays, so that the same bytes are recognised if Meta sends them again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, or_, select, text, update

from app.domain.erasure import EraseStep, has_any_id, is_phone
from app.domain.receipt import ReceiptState
from app.store.tables.receipts import is_cleared
from app.store.tables.schema import events, receipts
from app.store.tables.types import UtcDateTime
from app.store.transactions.delete_events import delete_events, delete_jobs_of, lock_open_deliveries
from app.store.transactions.prune import STEP_ROWS

SCAN_ROWS = 2000
SCAN_BYTES = 16 * 1024 * 1024
MAX_OTHER_IDS = 50

_REMEMBER = text(
    "INSERT INTO erased_events (event_id, at) SELECT event_id, :at FROM events WHERE id IN :ids"
    " ON CONFLICT (event_id) DO NOTHING"
).bindparams(bindparam("ids", expanding=True), bindparam("at", type_=UtcDateTime))

EventRow = Row[*tuple[Any, ...]]
"""An event's sequence and the row id of its receipt."""


def other_ids(connection: Connection, contact: str) -> list[str]:
    """Return the contact's other ids: user ids or phone numbers from events that also have the given one."""
    other = events.c.user_id if is_phone(contact) else events.c.wa_id
    query = select(other).where(_has_id(contact), other.is_not(None)).distinct().limit(MAX_OTHER_IDS)
    return list(connection.execute(query).scalars())


def last_receipt_id(connection: Connection) -> int:
    """Return the id of the newest receipt, 0 if there is none."""
    return connection.execute(select(func.max(receipts.c.id))).scalar_one() or 0


def end_of_scan(connection: Connection, after: int, last_id: int) -> int:
    """Return the id up to which one step searches: `SCAN_ROWS` or `SCAN_BYTES` of receipts, but at least one."""
    query = select(receipts.c.id, receipts.c.size).where(receipts.c.id > after, receipts.c.id <= last_id)
    end, size = after, 0
    for row in connection.execute(query.order_by(receipts.c.id).limit(SCAN_ROWS)):
        size += row.size
        if end > after and size > SCAN_BYTES:
            return end
        end = row.id
    return end


def receipts_with_id(connection: Connection, contact_ids: Sequence[str], after: int, end: int) -> list[int]:
    """Return the ids of receipts in this range whose body has one of the contact's ids."""
    contains = or_(*[_contains(connection, contact_id, number) for number, contact_id in enumerate(contact_ids)])
    query = select(receipts.c.id, receipts.c.body)
    query = query.where(receipts.c.id > after, receipts.c.id <= end, contains)
    return [row.id for row in connection.execute(query) if has_any_id(bytes(row.body), list(contact_ids))]


def clear_body(connection: Connection, ids: Sequence[int]) -> EraseStep:
    """Clear the bodies of those of these receipts that are split, and count the others, which keep theirs."""
    query = select(receipts.c.id, receipts.c.state).where(receipts.c.id.in_(ids))
    locked = connection.execute(query.order_by(receipts.c.id).with_for_update()).all()
    states = Counter(row.state for row in locked)
    split = [row.id for row in locked if row.state == ReceiptState.SPLIT]
    with_body = update(receipts).where(receipts.c.id.in_(split), receipts.c.size > 0, ~is_cleared())
    cleared = connection.execute(with_body.values(body=b"")).rowcount
    return EraseStep(
        receipts=cleared, pending=states[ReceiptState.PENDING], unreadable=states[ReceiptState.UNREADABLE]
    )


def lock_events_with_id(connection: Connection, contact: str, other_id: str | None = None) -> Sequence[EventRow]:
    """Lock and return the next events of the contact; or those that have only another id of it.

    A phone number may have belonged to another customer before: an event with the number and another user id is not
    the contact's.
    """
    query = select(events.c.id, events.c.receipt).order_by(events.c.id).limit(STEP_ROWS).with_for_update()
    if other_id is None:
        return connection.execute(query.where(_has_id(contact))).all()
    alone = events.c.user_id.is_(None) if is_phone(other_id) else events.c.wa_id.is_distinct_from(contact)
    return connection.execute(query.where(_has_id(other_id), alone)).all()


def erase_events(connection: Connection, rows: Sequence[EventRow], now: datetime) -> EraseStep:
    """Delete these locked events with their deliveries, keep only their ids, and clear the bodies they came in."""
    ids = [row.id for row in rows]
    delete_jobs_of(connection, lock_open_deliveries(connection, ids), now)
    connection.execute(_REMEMBER, {"ids": ids, "at": now})
    deleted_events, deleted_deliveries = delete_events(connection, ids)
    cleared = clear_body(connection, sorted({row.receipt for row in rows}))
    return EraseStep(deleted_events, deleted_deliveries, cleared.receipts)


def _has_id(contact_id: str) -> ColumnElement[bool]:
    return (events.c.wa_id if is_phone(contact_id) else events.c.user_id) == contact_id


def _contains(connection: Connection, contact_id: str, number: int) -> ColumnElement[bool]:
    is_sqlite = connection.dialect.name == "sqlite"
    condition = text(f"instr(body, :id{number}) > 0" if is_sqlite else f"position(:id{number} in body) > 0")
    return condition.bindparams(bindparam(f"id{number}", contact_id.encode()))  # type: ignore[return-value]
