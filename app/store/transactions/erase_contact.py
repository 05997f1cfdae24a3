"""Erasing a customer, a little at a time: the bytes of receipts that name it, its events, their deliveries.

What happened to others stays: a receipt loses its bytes only once every event in it stands on its own, and keeps
its row, by which it is known should Meta send it again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, or_, select, text, update

from app.domain.erasure import EraseStep, is_phone, names_in
from app.domain.receipt import ReceiptState
from app.store.engine import sqlite
from app.store.tables.receipts import is_wiped
from app.store.tables.schema import events, receipts
from app.store.tables.types import UtcDateTime
from app.store.transactions.delete_events import delete_events, lock_open_deliveries, remove_jobs
from app.store.transactions.prune import STEP_ROWS

SCAN_ROWS = 2000
SCAN_BYTES = 16 * 1024 * 1024
MAX_NAMES = 50

_REMEMBER = text(
    "INSERT INTO forgotten_events (event_id, at) SELECT event_id, :at FROM events WHERE id IN :ids"
    " ON CONFLICT (event_id) DO NOTHING"
).bindparams(bindparam("ids", expanding=True), bindparam("at", type_=UtcDateTime))

Found = Sequence[Row[*tuple[Any, ...]]]
"""Receipts that name the contact: id and state."""


def other_names(connection: Connection, contact: str) -> list[str]:
    """What else the contact is called: the user ids or phone numbers of events that name both."""
    other = events.c.user_id if is_phone(contact) else events.c.wa_id
    query = select(other).where(_named(contact), other.is_not(None)).distinct().limit(MAX_NAMES)
    return list(connection.execute(query).scalars())


def last_receipt(connection: Connection) -> int:
    """The id of the newest receipt, 0 if there is none."""
    return connection.execute(select(func.max(receipts.c.id))).scalar_one() or 0


def end_of_scan(connection: Connection, after: int, last_receipt_id: int) -> int:
    """The last receipt of the next stretch: as many as are searched in one go, at least one."""
    query = select(receipts.c.id, receipts.c.size).where(receipts.c.id > after, receipts.c.id <= last_receipt_id)
    end, size = after, 0
    for row in connection.execute(query.order_by(receipts.c.id).limit(SCAN_ROWS)):
        size += row.size
        if end > after and size > SCAN_BYTES:
            return end
        end = row.id
    return end


def receipts_naming(connection: Connection, names: list[str], after: int, end: int) -> Found:
    """The receipts of a stretch whose bytes name the contact."""
    contains = or_(*[_contains(connection, name, at) for at, name in enumerate(names)])
    query = select(receipts.c.id, receipts.c.state, receipts.c.body)
    query = query.where(receipts.c.id > after, receipts.c.id <= end, contains)
    return [row for row in connection.execute(query) if names_in(bytes(row.body), names)]


def wipe(connection: Connection, found: Found) -> EraseStep:
    """Drain the bytes of those that are split; count the others, which stay."""
    some = select(receipts.c.id, receipts.c.state).where(receipts.c.id.in_([row.id for row in found]))
    locked = connection.execute(some.order_by(receipts.c.id).with_for_update()).all()
    states = Counter(row.state for row in locked)
    split = [row.id for row in locked if row.state == ReceiptState.SPLIT]
    query = update(receipts).where(receipts.c.id.in_(split), receipts.c.size > 0, ~is_wiped())
    with sqlite.secure_delete(connection):
        wiped = connection.execute(query.values(body=b"")).rowcount
    return EraseStep(receipts=wiped, pending=states[ReceiptState.PENDING], unreadable=states[ReceiptState.UNREADABLE])


def events_naming(connection: Connection, contact: str, also: str | None = None) -> Found:
    """Some events of the contact; or some that know it only by another name: id and receipt.

    A phone number may have been somebody else's: an event that it shares with another user id is not the contact's.
    """
    query = select(events.c.id, events.c.receipt).order_by(events.c.id).limit(STEP_ROWS).with_for_update()
    if also is None:
        return connection.execute(query.where(_named(contact))).all()
    only = events.c.user_id.is_(None) if is_phone(also) else events.c.wa_id.is_distinct_from(contact)
    return connection.execute(query.where(_named(also), only)).all()


def erase_events(connection: Connection, rows: Found, now: datetime) -> EraseStep:
    """Delete these events with their deliveries, remember only their ids, and wipe the receipts they came in."""
    ids = [row.id for row in rows]
    remove_jobs(connection, lock_open_deliveries(connection, ids), now)
    connection.execute(_REMEMBER, {"ids": ids, "at": now})
    gone, undelivered = delete_events(connection, ids)
    came_in = select(receipts.c.id).where(receipts.c.id.in_({row.receipt for row in rows}))
    wiped = wipe(connection, connection.execute(came_in).all())
    return EraseStep(gone, undelivered, wiped.receipts)


def _named(name: str) -> ColumnElement[bool]:
    return (events.c.wa_id if is_phone(name) else events.c.user_id) == name


def _contains(connection: Connection, name: str, at: int) -> ColumnElement[bool]:
    sqlite_like = connection.dialect.name == "sqlite"
    where = text(f"instr(body, :name{at}) > 0" if sqlite_like else f"position(:name{at} in body) > 0")
    return where.bindparams(bindparam(f"name{at}", name.encode()))  # type: ignore[return-value]
