"""Deletes expired rows in small transactions, to keep the waits for locks short.

A step reads which rows to delete, and then deletes them by id in one transaction of at most `STEP_ROWS` receipts or
events, of `STEP_BYTES` together; deliveries, jobs and errors come on top. Ids normally follow the age: a page of ids
with no old row ends the run. Rows that must stay are skipped.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, select, update

from app.domain.delivery import DeliveryState
from app.domain.receipt import ReceiptState
from app.store.tables.events import lock_events
from app.store.tables.schema import deliveries, erased_events, event_names, events, receipt_errors, receipts
from app.store.transactions.delete_events import DeliveryRow, delete_events, delete_jobs_of, lock_open_deliveries

STEP_ROWS = 200
STEP_BYTES = 4 * 1024 * 1024
NAMES_AT_ONCE = 2000


@dataclass(frozen=True)
class Plan:
    """The ids that a step deletes, and the id after which the next step continues.

    None: stop here (the page has no old row, or is the last one).
    """

    ids: Sequence[int]
    next: int | None


@dataclass(frozen=True)
class PruneStep:
    """How many rows a step deleted, and the id after which the next one continues; None: stop here, as in `Plan`."""

    deleted: int
    next: int | None


def plan_receipts(connection: Connection, before: datetime, after: int) -> Plan:
    """Choose the next receipts that came before this time and are not pending."""
    columns = receipts.c.id, receipts.c.received_at, receipts.c.size, receipts.c.state
    query = select(*columns).where(receipts.c.id > after).order_by(receipts.c.id).limit(STEP_ROWS)
    rows = connection.execute(query).all()
    return _plan(rows, before, keep={row.id for row in rows if row.state == ReceiptState.PENDING})


def plan_events(connection: Connection, before: datetime, after: int) -> Plan:
    """Choose the next events that came before this time. `prune_events`, which locks them, keeps some of them."""
    columns = events.c.id, events.c.received_at, func.length(events.c.document).label("size")
    query = select(*columns).where(events.c.id > after).order_by(events.c.id).limit(STEP_ROWS)
    return _plan(connection.execute(query).all(), before)


def plan_lone_names(connection: Connection, after: int) -> Plan:
    """Choose among the next names the events that are gone."""
    page = select(event_names.c.event).where(event_names.c.event > after).order_by(event_names.c.event)
    ids = connection.execute(page.limit(NAMES_AT_ONCE)).scalars().all()
    if not ids:
        return Plan([], None)
    in_page = event_names.c.event.between(ids[0], ids[-1])
    is_gone = ~exists().where(events.c.id == event_names.c.event)
    gone = connection.execute(select(event_names.c.event).where(in_page, is_gone).distinct()).scalars().all()
    return Plan(sorted(gone), ids[-1] if len(ids) == NAMES_AT_ONCE else None)


def prune_receipts(connection: Connection, ids: Sequence[int]) -> int:
    """Delete the given receipts that are not pending, with their errors, and return how many."""
    is_deletable = receipts.c.id.in_(ids) & (receipts.c.state != ReceiptState.PENDING.value)
    query = select(receipts.c.id).where(is_deletable).order_by(receipts.c.id).with_for_update()
    locked = connection.execute(query).scalars().all()
    connection.execute(delete(receipts).where(receipts.c.id.in_(locked)))
    connection.execute(delete(receipt_errors).where(receipt_errors.c.receipt.in_(locked)))
    return len(locked)


def prune_events(connection: Connection, ids: Sequence[int], destinations: Collection[str], now: datetime) -> int:
    """Delete the given events that have no open delivery, with their deliveries, and return how many events.

    `destinations` are the configured ones. First, open deliveries to other destinations are marked skipped.
    """
    lock_events(connection, ids)
    still_open = lock_open_deliveries(connection, ids)
    kept = {row.event for row in still_open if row.destination in destinations}
    expired = [event_id for event_id in ids if event_id not in kept]
    _skip(connection, [row for row in still_open if row.destination not in destinations], expired, now)
    return delete_events(connection, expired)[0]


def prune_erased_events(connection: Connection, before: datetime) -> int:
    """Delete some ids of events erased before this time; return how many. Meta does not resend events this old."""
    query = select(erased_events.c.event_id).where(erased_events.c.at < before).limit(STEP_ROWS)
    locked = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    return connection.execute(delete(erased_events).where(erased_events.c.event_id.in_(locked))).rowcount


def prune_lone_names(connection: Connection, ids: Sequence[int]) -> int:
    """Delete the names of these events, which are gone, and return how many."""
    lone = select(event_names.c.event).where(event_names.c.event.in_(ids)).order_by(event_names.c.event)
    connection.execute(lone.with_for_update()).all()
    return connection.execute(delete(event_names).where(event_names.c.event.in_(ids))).rowcount


def _skip(connection: Connection, rows: Sequence[DeliveryRow], expired: Sequence[int], now: datetime) -> None:
    """Delete the jobs of these deliveries, and of media of expired events; mark the deliveries as skipped."""
    delete_jobs_of(connection, rows, expired, now)
    skipped = {"state": DeliveryState.SKIPPED.value, "updated_at": now}
    connection.execute(update(deliveries).where(deliveries.c.id.in_([row.id for row in rows])).values(skipped))


def _plan(rows: Sequence[Row[*tuple[Any, ...]]], before: datetime, keep: Collection[int] = ()) -> Plan:
    """Choose the expired rows of a page. Skip younger rows between them: the clock may have been wrong."""
    old = [row for row in rows if row.received_at < before]
    ids: list[int] = []
    size = 0
    for row in old:
        if row.id in keep:
            continue
        size += row.size
        if ids and size > STEP_BYTES:
            return Plan(ids, row.id - 1)
        ids.append(row.id)
    return Plan(ids, rows[-1].id if old and len(rows) == STEP_ROWS else None)
