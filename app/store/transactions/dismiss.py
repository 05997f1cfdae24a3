"""Dismisses what an operator has looked at: dead letters are discarded, unreadable receipts dismissed.

They raise no alert any more, and stay listed with their state until they are pruned.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, select, update

from app.domain.delivery import DeliveryState
from app.domain.dismissal import Period
from app.domain.receipt import ReceiptState
from app.store.tables.receipts import has_state
from app.store.tables.schema import deliveries, receipts
from app.store.tables.types import chunks


def discard_deliveries(connection: Connection, now: datetime, ids: Sequence[int]) -> int:
    """Discard those of these deliveries that are dead, and return how many."""
    is_dead = deliveries.c.state == DeliveryState.DEAD.value
    changed = {"state": DeliveryState.DISCARDED.value, "updated_at": now}
    return _change(connection, deliveries, ids, is_dead, changed)


def dismiss_receipts(connection: Connection, ids: Sequence[int]) -> int:
    """Dismiss those of these receipts that are unreadable, and return how many."""
    changed = {"state": ReceiptState.DISMISSED.value}
    return _change(connection, receipts, ids, has_state(ReceiptState.UNREADABLE), changed)


def _change(
    connection: Connection, table: Table, ids: Sequence[int], condition: ColumnElement[bool], changed: dict[str, Any]
) -> int:
    """Lock those of these rows that meet the condition, by id; change them, and return how many."""
    query = select(table.c.id).where(condition).order_by(table.c.id).with_for_update()
    locked = [
        row_id
        for chunk in chunks(sorted(ids))
        for row_id in connection.execute(query.where(table.c.id.in_(chunk))).scalars()
    ]
    for chunk in chunks(locked):
        connection.execute(update(table).where(table.c.id.in_(chunk)).values(changed))
    return len(locked)


def unreadable_receipts(after: int, chosen: Period) -> Select[tuple[int]]:
    """Return the query of the ids of unreadable receipts of a time, behind this id, in their order."""
    query = select(receipts.c.id).where(has_state(ReceiptState.UNREADABLE), receipts.c.id > after)
    if chosen.since is not None:
        query = query.where(receipts.c.received_at >= chosen.since)
    if chosen.until is not None:
        query = query.where(receipts.c.received_at < chosen.until)
    return query.order_by(receipts.c.id)
