"""Taking events away with all that hangs on them: deliveries, and the open jobs of these.

Locks are taken in the order in which jobs are claimed and settled: lanes by name, then deliveries, then jobs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app.domain.job import DELIVER_LANE
from app.store import sqlite
from app.store.delivery_progress import OPEN
from app.store.ordering import release
from app.store.schema import deliveries, events, jobs, lanes


def lock_open_deliveries(connection: Connection, event_ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The open deliveries of these events. Until the end of the transaction nobody settles or replays any."""
    of_events = deliveries.c.event.in_(event_ids)
    destinations = select(deliveries.c.destination).where(of_events, deliveries.c.state == OPEN).distinct()
    names = [DELIVER_LANE + name for name in connection.execute(destinations).scalars()]
    connection.execute(select(lanes.c.name).where(lanes.c.name.in_(names)).order_by(lanes.c.name).with_for_update())
    columns = deliveries.c.id, deliveries.c.event, deliveries.c.destination, deliveries.c.state
    locked = connection.execute(select(*columns).where(of_events).with_for_update()).all()
    return [row for row in locked if row.state == OPEN]


def remove_jobs(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> None:
    """Remove the jobs of locked deliveries. Who holds a claim on one has lost it; who waited behind one is due."""
    for destination in sorted({row.destination for row in rows}):
        lane = DELIVER_LANE + destination
        subjects = [row.id for row in rows if row.destination == destination]
        query = delete(jobs).where(jobs.c.lane == lane, jobs.c.subject.in_(subjects)).returning(jobs.c.order_key)
        keys = connection.execute(query).scalars().all()
        release(connection, now, {(lane, key) for key in keys if key is not None})


def delete_events(connection: Connection, ids: Sequence[int]) -> tuple[int, int]:
    """Delete events and their deliveries, whose jobs are gone already; how many of each there were."""
    with sqlite.deleting_for_good(connection):
        gone = connection.execute(delete(deliveries).where(deliveries.c.event.in_(ids))).rowcount
        return connection.execute(delete(events).where(events.c.id.in_(ids))).rowcount, gone
