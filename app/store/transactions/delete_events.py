"""Deletes events with all that depends on them: their names, their deliveries, and the open jobs of these.

The caller has locked the events. Then come the queues of open deliveries, by name; then deliveries and jobs, by id.
Settling and replaying lock queues before deliveries, too.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app.domain.destination import queue_of_destination
from app.store.tables.deliveries import OPEN
from app.store.tables.jobs import find_jobs, lock_jobs
from app.store.tables.queues import lock_queues
from app.store.tables.schema import deliveries, event_names, events, jobs
from app.store.tables.types import chunks
from app.store.transactions.enqueue import promote_next

DeliveryRow = Row[*tuple[Any, ...]]
"""A delivery's id, event, destination and state."""


def lock_open_deliveries(connection: Connection, event_ids: Sequence[int]) -> list[DeliveryRow]:
    """Lock all deliveries of these events and the queues of the open ones, and return the open ones.

    Until the transaction ends no other one settles or replays them.
    """
    of_events = deliveries.c.event.in_(event_ids)
    destinations = select(deliveries.c.destination).where(of_events, deliveries.c.state == OPEN).distinct()
    lock_queues(connection, map(queue_of_destination, connection.execute(destinations).scalars()))
    columns = deliveries.c.id, deliveries.c.event, deliveries.c.destination, deliveries.c.state
    locked = connection.execute(select(*columns).where(of_events).order_by(deliveries.c.id).with_for_update())
    return [row for row in locked if row.state == OPEN]


def delete_jobs_of(connection: Connection, rows: Sequence[DeliveryRow], now: datetime) -> None:
    """Delete the jobs of locked deliveries, claimed ones too; the next job of each ordering key is due."""
    subjects = defaultdict(list)
    for row in rows:
        subjects[queue_of_destination(row.destination)].append(row.id)
    locked = lock_jobs(connection, find_jobs(connection, subjects))
    for ids in chunks([job.id for job in locked]):
        connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
    promote_next(connection, now, {(job.queue, job.order_key) for job in locked})


def delete_events(connection: Connection, ids: Sequence[int]) -> tuple[int, int]:
    """Delete events and their deliveries, whose jobs are deleted already. Return how many of each there were."""
    deleted = connection.execute(delete(deliveries).where(deliveries.c.event.in_(ids))).rowcount
    connection.execute(delete(event_names).where(event_names.c.event.in_(ids)))
    return connection.execute(delete(events).where(events.c.id.in_(ids))).rowcount, deleted
