"""Deletes events with all that depends on them: names, deliveries and files of media, and the open jobs of these.

The caller has locked the events. Then come the queues of open deliveries and of media, by name; then deliveries and
jobs, by id; then files. Settling and replaying lock queues before deliveries, too.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app.domain.destination import queue_of_destination
from app.domain.media_file import MEDIA_QUEUE
from app.store.tables.deliveries import OPEN
from app.store.tables.jobs import find_jobs, lock_jobs
from app.store.tables.queues import lock_queues
from app.store.tables.schema import deliveries, event_names, events
from app.store.transactions.enqueue import delete_jobs
from app.store.transactions.follow_media import files_of_events, mark_deleted

DeliveryRow = Row[*tuple[Any, ...]]
"""A delivery's id, event, destination and state."""


def lock_open_deliveries(connection: Connection, event_ids: Sequence[int]) -> list[DeliveryRow]:
    """Lock all deliveries of these events and the queues of the open ones, and return the open ones.

    Until the transaction ends no other one settles or replays them, or fetches a file of these events.
    """
    of_events = deliveries.c.event.in_(event_ids)
    destinations = select(deliveries.c.destination).where(of_events, deliveries.c.state == OPEN).distinct()
    queues = {queue_of_destination(name) for name in connection.execute(destinations).scalars()}
    lock_queues(connection, queues | ({MEDIA_QUEUE} if files_of_events(connection, event_ids) else set()))
    columns = deliveries.c.id, deliveries.c.event, deliveries.c.destination, deliveries.c.state
    locked = connection.execute(select(*columns).where(of_events).order_by(deliveries.c.id).with_for_update())
    return [row for row in locked if row.state == OPEN]


def delete_jobs_of(
    connection: Connection, rows: Sequence[DeliveryRow], event_ids: Sequence[int], now: datetime
) -> None:
    """Delete the jobs of locked deliveries, claimed ones too; the next job of each ordering key is due.

    The files of these events, which are about to be deleted, are marked as deleted.
    """
    files = files_of_events(connection, event_ids)
    subjects = defaultdict(list, {MEDIA_QUEUE: files} if files else {})
    for row in rows:
        subjects[queue_of_destination(row.destination)].append(row.id)
    locked = lock_jobs(connection, find_jobs(connection, subjects))
    delete_jobs(connection, now, locked)
    mark_deleted(connection, files)


def delete_events(connection: Connection, ids: Sequence[int]) -> tuple[int, int]:
    """Delete events and their deliveries, whose jobs are deleted already. Return how many of each there were."""
    deleted = connection.execute(delete(deliveries).where(deliveries.c.event.in_(ids))).rowcount
    connection.execute(delete(event_names).where(event_names.c.event.in_(ids)))
    return connection.execute(delete(events).where(events.c.id.in_(ids))).rowcount, deleted
