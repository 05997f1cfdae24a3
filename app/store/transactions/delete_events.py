"""Taking events away with all that hangs on them: deliveries, and the open jobs of these.

Whoever takes away has locked the events. Then queues by name, then deliveries and jobs: who settles or replays locks
queues first, too, so that the order of the rest is free.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app.domain.destination import queue_of_destination
from app.store.engine import sqlite
from app.store.tables.delivery_progress import OPEN
from app.store.tables.queues import lock_queues
from app.store.tables.schema import deliveries, events, jobs
from app.store.transactions.enqueue import promote_next


def lock_open_deliveries(connection: Connection, event_ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The open deliveries of these events. Until the end of the transaction nobody settles or replays any."""
    of_events = deliveries.c.event.in_(event_ids)
    destinations = select(deliveries.c.destination).where(of_events, deliveries.c.state == OPEN).distinct()
    lock_queues(connection, map(queue_of_destination, connection.execute(destinations).scalars()))
    columns = deliveries.c.id, deliveries.c.event, deliveries.c.destination, deliveries.c.state
    locked = connection.execute(select(*columns).where(of_events).with_for_update()).all()
    return [row for row in locked if row.state == OPEN]


def remove_jobs(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> None:
    """Remove the jobs of locked deliveries. Who holds a claim on one has lost it; who waited behind one is due."""
    freed = set()
    for destination in sorted({row.destination for row in rows}):
        subjects = [row.id for row in rows if row.destination == destination]
        queue = queue_of_destination(destination)
        ours = jobs.c.queue == queue, jobs.c.subject.in_(subjects)
        keys = connection.execute(delete(jobs).where(*ours).returning(jobs.c.order_key)).scalars()
        freed |= {(queue, key) for key in keys if key is not None}
    promote_next(connection, now, freed)


def delete_events(connection: Connection, ids: Sequence[int]) -> tuple[int, int]:
    """Delete events and their deliveries, whose jobs are gone already; how many of each there were."""
    with sqlite.secure_delete(connection):
        gone = connection.execute(delete(deliveries).where(deliveries.c.event.in_(ids))).rowcount
        return connection.execute(delete(events).where(events.c.id.in_(ids))).rowcount, gone
