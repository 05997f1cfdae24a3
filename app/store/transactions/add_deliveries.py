"""Adds the deliveries of events, each with its job."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from app.domain.delivery import NewDelivery
from app.domain.destination import queue_of_destination
from app.store.engine.bulk_insert import BulkInsert, allocate_ids
from app.store.tables.deliveries import OPEN, column_of
from app.store.tables.schema import deliveries
from app.store.transactions.enqueue import NewJob, enqueue

_INSERT = BulkInsert(deliveries, "id", "event", "destination", "order_key", "state", "updated_at", "attempts")


def add_deliveries(
    connection: Connection, now: datetime, by_sequence: Iterable[tuple[int, Sequence[NewDelivery]]]
) -> int:
    """Add deliveries of events, which are given by their sequences, and enqueue them. Return how many there are.

    The caller has just added the events, or has locked them.
    """
    added = [(sequence, new) for sequence, new_deliveries in by_sequence for new in new_deliveries]
    if added:
        ids, none = allocate_ids(connection, deliveries, len(added)), column_of(())
        rows = [
            (row_id, sequence, new.destination, new.order_key, OPEN, now, none)
            for row_id, (sequence, new) in zip(ids, added, strict=True)
        ]
        _INSERT.execute(connection, rows)
        new_jobs = [
            NewJob(queue_of_destination(new.destination), row_id, new.order_key)
            for row_id, (_, new) in zip(ids, added, strict=True)
        ]
        enqueue(connection, now, new_jobs)
    return len(added)
