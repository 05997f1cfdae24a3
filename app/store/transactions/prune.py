"""Taking away what is old enough, a little at a time, so that nobody who writes waits long for us.

A step plans by reading and then deletes by id, in a transaction of at most so many rows and bytes. Rows are as old
as their ids are low; those that must stay are stepped over.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from app.domain.delivery import DeliveryState
from app.domain.receipt import ReceiptState
from app.store.engine import sqlite
from app.store.tables.schema import deliveries, events, forgotten_events, receipt_errors, receipts
from app.store.transactions.delete_events import delete_events, lock_open_deliveries, remove_jobs

STEP_ROWS = 200
STEP_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """The rows of one step, and the one after which the next step goes on; None: the rest is not old enough."""

    ids: Sequence[int]
    next: int | None


@dataclass(frozen=True)
class PruneStep:
    """How many rows a step has taken away, and after which one to go on; None: nothing more is old enough."""

    removed: int
    next: int | None


def plan_receipts(connection: Connection, before: datetime, after: int) -> Plan:
    """The next receipts that are settled and came before this moment."""
    columns = receipts.c.id, receipts.c.received_at, receipts.c.size, receipts.c.state
    query = select(*columns).where(receipts.c.id > after).order_by(receipts.c.id).limit(STEP_ROWS)
    pending = ReceiptState.PENDING.value
    rows = connection.execute(query).all()
    return _plan(rows, before, keep={row.id for row in rows if row.state == pending})


def plan_events(connection: Connection, before: datetime, after: int) -> Plan:
    """The next events that came before this moment. Which of them may go is seen when they are locked."""
    columns = events.c.id, events.c.received_at, func.length(events.c.document).label("size")
    query = select(*columns).where(events.c.id > after).order_by(events.c.id).limit(STEP_ROWS)
    return _plan(connection.execute(query).all(), before)


def delete_receipts(connection: Connection, ids: Sequence[int]) -> int:
    """Delete receipts that do not wait to be split, with the reasons of unreadable ones; how many there were."""
    settled = receipts.c.id.in_(ids) & (receipts.c.state != ReceiptState.PENDING.value)
    gone = (
        connection.execute(select(receipts.c.id).where(settled).order_by(receipts.c.id).with_for_update())
        .scalars()
        .all()
    )
    with sqlite.secure_delete(connection):
        connection.execute(delete(receipts).where(receipts.c.id.in_(gone)))
        connection.execute(delete(receipt_errors).where(receipt_errors.c.receipt.in_(gone)))
    return len(gone)


def delete_settled_events(
    connection: Connection, ids: Sequence[int], destinations: Collection[str], now: datetime
) -> int:
    """Delete events none of whose deliveries is open, with these; how many events there were.

    An open delivery to a destination that the config no longer lists is skipped first. Events are locked before
    queues, as when they are erased.
    """
    connection.execute(select(events.c.id).where(events.c.id.in_(ids)).order_by(events.c.id).with_for_update())
    waiting = lock_open_deliveries(connection, ids)
    _skip(connection, [row for row in waiting if row.destination not in destinations], now)
    kept = {row.event for row in waiting if row.destination in destinations}
    return delete_events(connection, [each for each in ids if each not in kept])[0]


def _skip(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> None:
    """Nobody will make these deliveries any more."""
    remove_jobs(connection, rows, now)
    skipped = {"state": DeliveryState.SKIPPED.value, "updated_at": now}
    connection.execute(update(deliveries).where(deliveries.c.id.in_([row.id for row in rows])).values(skipped))


def prune_forgotten(connection: Connection, before: datetime) -> int:
    """Forget events that were erased before this moment even by their id: Meta sends them no more."""
    some = select(forgotten_events.c.event_id).where(forgotten_events.c.at < before).limit(STEP_ROWS)
    return connection.execute(delete(forgotten_events).where(forgotten_events.c.event_id.in_(some))).rowcount


def _plan(rows: Sequence[Row[*tuple[Any, ...]]], before: datetime, keep: Collection[int] = ()) -> Plan:
    """A few rows that are too young are stepped over, too: somebody's clock was wrong for a while."""
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
