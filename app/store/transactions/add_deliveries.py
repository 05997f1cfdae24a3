"""Adds the deliveries of events, each with its job."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from app.domain.delivery import NewDelivery
from app.domain.destination import queue_of_destination
from app.store.tables.deliveries import OPEN, column_of
from app.store.tables.schema import deliveries
from app.store.transactions.enqueue import NewJob, enqueue

_INSERT = insert(deliveries).returning(deliveries.c.id, deliveries.c.destination, deliveries.c.order_key)


def add_deliveries(
    connection: Connection, now: datetime, by_sequence: Iterable[tuple[int, Sequence[NewDelivery]]]
) -> int:
    """Add deliveries of events, which are given by their sequences, and enqueue them. Return how many there are.

    The caller has just added the events, or has locked them.
    """
    state = {"state": OPEN, "updated_at": now, "attempts": column_of(())}
    rows = [
        {"event": sequence, "destination": new.destination, "order_key": new.order_key, **state}
        for sequence, new_deliveries in by_sequence
        for new in new_deliveries
    ]
    if rows:
        added = sorted(connection.execute(_INSERT, rows), key=lambda row: row.id)
        new_jobs = [NewJob(queue_of_destination(row.destination), row.id, row.order_key) for row in added]
        enqueue(connection, now, new_jobs)
    return len(rows)
