"""Adds events that no receipt holds, with their deliveries: of messages that have changed, and of alerts.

Only a transaction that holds the lock of the split job may add events: so sequences follow the order of commits.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from app.domain.job import SPLIT_QUEUE
from app.domain.split import SplitEvent
from app.store.engine.bulk_insert import allocate_ids
from app.store.tables.schema import events, jobs
from app.store.transactions.add_deliveries import add_deliveries
from app.store.transactions.split_receipts import INSERT_EVENTS, event_row, key_of_event

NO_RECEIPT = 0
_LOCK = select(jobs).where(jobs.c.queue == SPLIT_QUEUE).order_by(jobs.c.id).with_for_update()


def hold_splitting(connection: Connection) -> None:
    """Let no other transaction add events until this one ends."""
    connection.execute(_LOCK).all()


def add_own_events(connection: Connection, now: datetime, new: Sequence[SplitEvent]) -> None:
    """Add these events with their deliveries. The caller holds splitting, or the claim on the split job."""
    if not new:
        return
    numbered = list(zip(allocate_ids(connection, events, len(new)), new, strict=True))
    rows = [
        event_row(sequence, key_of_event(event), event, now, NO_RECEIPT, event.event.trace)
        for sequence, event in numbered
    ]
    INSERT_EVENTS.execute(connection, rows)
    add_deliveries(connection, now, [(sequence, event.deliveries) for sequence, event in numbered])
