"""Replays deliveries: one that has ended gets a new job; one that waits for its next attempt is due now."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from app.domain.delivery import DeliveryState, NewDelivery
from app.domain.destination import queue_of_destination
from app.store.tables.deliveries import OPEN
from app.store.tables.events import lock_events
from app.store.tables.jobs import JobRow, find_jobs, is_delayed, lock_jobs
from app.store.tables.queues import ensure_locked
from app.store.tables.schema import deliveries, events, jobs
from app.store.tables.types import chunks
from app.store.transactions.add_deliveries import add_deliveries
from app.store.transactions.enqueue import NewJob, enqueue

ANY_STATE = (OPEN, *(state.value for state in DeliveryState))

DeliveryRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class ReplayRequest:
    """Which deliveries to replay, by row id, if their stored state is still one of `states`.

    `newly_owned`: deliveries to add to events that were foreign, by sequence; the config now lists their number.
    `missing`: deliveries to add to events that have none to the same destination.
    """

    ids: Sequence[int] = ()
    states: Collection[str] = ANY_STATE
    newly_owned: Mapping[int, Sequence[NewDelivery]] = field(default_factory=dict)
    missing: Mapping[int, Sequence[NewDelivery]] = field(default_factory=dict)


def replay_deliveries(connection: Connection, now: datetime, request: ReplayRequest) -> int:
    """Replay these deliveries and return how many. One that is in flight, or due already, stays as it is.

    The events are locked first, as when they are deleted: until the transaction ends no other one deletes them.
    """
    existing, destinations = _lock_events(connection, request)
    missing = {sequence: new for sequence, new in request.missing.items() if sequence in existing}
    new = [*_own(connection, request.newly_owned), *_still_missing(connection, missing)]
    destinations |= {delivery.destination for _, added in new for delivery in added}
    queues = {queue_of_destination(destination) for destination in destinations}
    ensure_locked(connection, queues)
    return add_deliveries(connection, now, new) + _replay(connection, now, request)


def _lock_events(connection: Connection, request: ReplayRequest) -> tuple[set[int], set[str]]:
    """Lock the events of the request. Return those that still exist, and the destinations of its deliveries."""
    columns = select(deliveries.c.event, deliveries.c.destination)
    rows = [row for ids in chunks(request.ids) for row in connection.execute(columns.where(deliveries.c.id.in_(ids)))]
    existing = lock_events(connection, {*request.newly_owned, *request.missing, *(row.event for row in rows)})
    return existing, {row.destination for row in rows}


def _own(
    connection: Connection, newly_owned: Mapping[int, Sequence[NewDelivery]]
) -> list[tuple[int, Sequence[NewDelivery]]]:
    """Mark the events as no longer foreign. Return the deliveries to add to those that were foreign until now."""
    owned: list[int] = []
    for ids in chunks(sorted(newly_owned)):
        query = update(events).where(events.c.id.in_(ids), events.c.is_foreign).values(is_foreign=False)
        owned += connection.execute(query.returning(events.c.id)).scalars()
    return [(sequence, newly_owned[sequence]) for sequence in sorted(owned)]


def _still_missing(
    connection: Connection, missing: Mapping[int, Sequence[NewDelivery]]
) -> list[tuple[int, Sequence[NewDelivery]]]:
    """Return those of these deliveries whose events still have none to the same destination."""
    columns = select(deliveries.c.event, deliveries.c.destination)
    pieces = [columns.where(deliveries.c.event.in_(ids)) for ids in chunks(sorted(missing))]
    present = {(row.event, row.destination) for piece in pieces for row in connection.execute(piece)}
    left = {
        sequence: [one for one in new if (sequence, one.destination) not in present]
        for sequence, new in missing.items()
    }
    return [(sequence, left[sequence]) for sequence in sorted(left) if left[sequence]]


def _replay(connection: Connection, now: datetime, request: ReplayRequest) -> int:
    rows = _lock_deliveries(connection, request)
    open_jobs = _lock_jobs(connection, rows)
    with_job = {job.subject for job in open_jobs}
    ended = [row for row in rows if row.id not in with_job]
    for ids in chunks([row.id for row in ended]):
        connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(state=OPEN, updated_at=now))
    enqueue(connection, now, [NewJob(queue_of_destination(row.destination), row.id, row.order_key) for row in ended])
    delayed = 0
    for ids in chunks([job.id for job in open_jobs]):
        delayed += connection.execute(
            update(jobs).where(jobs.c.id.in_(ids), is_delayed(now)).values(due_at=now)
        ).rowcount
    return len(ended) + delayed


def _lock_deliveries(connection: Connection, request: ReplayRequest) -> list[DeliveryRow]:
    query = select(deliveries.c.id, deliveries.c.destination, deliveries.c.order_key)
    query = query.where(deliveries.c.state.in_(request.states)).order_by(deliveries.c.id).with_for_update()
    pieces = chunks(sorted(request.ids))
    return [row for ids in pieces for row in connection.execute(query.where(deliveries.c.id.in_(ids)))]


def _lock_jobs(connection: Connection, rows: Sequence[DeliveryRow]) -> list[JobRow]:
    """Lock the open jobs of these deliveries."""
    subjects = defaultdict(list)
    for row in rows:
        subjects[queue_of_destination(row.destination)].append(row.id)
    return lock_jobs(connection, find_jobs(connection, subjects))
