"""Adds events of the gateway itself, which no receipt holds: a part of transactions that hold the split job's lock.

That lock makes sequences follow the order of commits, as those of the events in receipts do.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from app.domain.delivery import NewDelivery
from app.domain.event import NewEvent
from app.domain.job import SPLIT_QUEUE
from app.domain.split import SplitEvent
from app.store.engine.bulk_insert import allocate_ids
from app.store.tables.events import key_of
from app.store.tables.schema import events, jobs
from app.store.transactions.add_deliveries import add_deliveries
from app.store.transactions.publish_changes import NO_RECEIPT
from app.store.transactions.split_receipts import INSERT_EVENTS, event_row

_LOCK = select(jobs).where(jobs.c.queue == SPLIT_QUEUE).order_by(jobs.c.id).with_for_update()


def hold_splitting(connection: Connection) -> None:
    """Let no other transaction add events until this one ends."""
    connection.execute(_LOCK).all()


def add_own_events(
    connection: Connection, now: datetime, new: Sequence[NewEvent], deliveries: Sequence[NewDelivery]
) -> None:
    """Add these events, each with all of these deliveries. The caller holds splitting."""
    if not new:
        return
    sequences = allocate_ids(connection, events, len(new))
    rows = [
        event_row(sequence, key_of(one.id) or b"", SplitEvent(one), now, NO_RECEIPT)
        for sequence, one in zip(sequences, new, strict=True)
    ]
    INSERT_EVENTS.execute(connection, rows)
    add_deliveries(connection, now, [(sequence, deliveries) for sequence in sequences])
