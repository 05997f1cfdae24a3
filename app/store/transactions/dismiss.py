"""Discards dead letters, and dismisses unreadable receipts, after an operator has looked at them.

From then on they raise no alert. They stay listed, with their new state, until they are pruned.
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
    """Discard the dead ones of these deliveries; return their number."""
    is_dead = deliveries.c.state == DeliveryState.DEAD.value
    changed = {"state": DeliveryState.DISCARDED.value, "updated_at": now}
    return _change(connection, deliveries, ids, is_dead, changed)


def dismiss_receipts(connection: Connection, ids: Sequence[int]) -> int:
    """Dismiss the unreadable ones of these receipts; return their number."""
    changed = {"state": ReceiptState.DISMISSED.value}
    return _change(connection, receipts, ids, has_state(ReceiptState.UNREADABLE), changed)


def _change(
    connection: Connection, table: Table, ids: Sequence[int], condition: ColumnElement[bool], changed: dict[str, Any]
) -> int:
    """Lock, in the order of ids, those of these rows that meet the condition; change them and return their number."""
    query = select(table.c.id).where(condition).order_by(table.c.id).with_for_update()
    locked = [
        row_id
        for chunk in chunks(sorted(ids))
        for row_id in connection.execute(query.where(table.c.id.in_(chunk))).scalars()
    ]
    for chunk in chunks(locked):
        connection.execute(update(table).where(table.c.id.in_(chunk)).values(changed))
    return len(locked)


def unreadable_receipts(after: int, period: Period) -> Select[tuple[int]]:
    """Return the query for unreadable receipts that were received in this period: their ids above `after`, sorted."""
    query = select(receipts.c.id).where(has_state(ReceiptState.UNREADABLE), receipts.c.id > after)
    if period.since is not None:
        query = query.where(receipts.c.received_at >= period.since)
    if period.until is not None:
        query = query.where(receipts.c.received_at < period.until)
    return query.order_by(receipts.c.id)
