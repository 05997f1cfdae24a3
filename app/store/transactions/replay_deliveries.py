"""Replaying deliveries: a new job for what has ended, and no more waiting for what waits to be tried again."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from app.domain.delivery import DeliveryState, NewDelivery
from app.domain.destination import queue_of_destination
from app.store.tables.chunks import chunks
from app.store.tables.delivery_progress import OPEN
from app.store.tables.queues import ensure_queues, lock_queues
from app.store.tables.schema import deliveries, events, jobs
from app.store.transactions.enqueue import NewJob, enqueue, put_deliveries

ANY_STATE = (OPEN, *(state.value for state in DeliveryState))

Rows = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True)
class ReplayRequest:
    """Deliveries to replay, those of them that are still in one of these states; and deliveries to make of events
    that are no longer foreign, by sequence."""

    ids: Sequence[int] = ()
    states: Collection[str] = ANY_STATE
    newly_owned: Mapping[int, Sequence[NewDelivery]] = field(default_factory=dict)


def replay_deliveries(connection: Connection, now: datetime, wanted: ReplayRequest) -> int:
    """Bring them on their way, as soon as it is their turn; how many. What is on its way already stays as it is.

    Events are locked before queues, as when they are erased; then nobody settles, replays or takes away any of them.
    """
    news = [
        (sequence, wanted.newly_owned[sequence]) for sequence in _make_ours(connection, sorted(wanted.newly_owned))
    ]
    _lock_queues(connection, wanted.ids, {new.destination for _, made in news for new in made})
    made = put_deliveries(connection, now, news)
    return made + sum(_replay(connection, now, some, wanted.states) for some in chunks(sorted(wanted.ids)))


def _make_ours(connection: Connection, sequences: Sequence[int]) -> list[int]:
    """Those of the events that were foreign until now."""
    newly_owned: list[int] = []
    for some in chunks(sequences):
        query = update(events).where(events.c.id.in_(some), events.c.is_foreign).values(is_foreign=False)
        newly_owned += connection.execute(query.returning(events.c.id)).scalars()
    return sorted(newly_owned)


def _lock_queues(connection: Connection, ids: Sequence[int], destinations: set[str]) -> None:
    for some in chunks(ids):
        query = select(deliveries.c.destination).where(deliveries.c.id.in_(some)).distinct()
        destinations |= set(connection.execute(query).scalars())
    queues = {queue_of_destination(destination) for destination in destinations}
    ensure_queues(connection, queues)
    lock_queues(connection, queues)


def _replay(connection: Connection, now: datetime, ids: Sequence[int], states: Collection[str]) -> int:
    columns = (deliveries.c.id, deliveries.c.destination, deliveries.c.order_key)
    these = select(*columns).where(deliveries.c.id.in_(ids), deliveries.c.state.in_(states)).order_by(deliveries.c.id)
    rows = connection.execute(these.with_for_update()).all()
    known = _lock_jobs(connection, rows)
    ended = [row for row in rows if row.id not in known]
    reopened = update(deliveries).where(deliveries.c.id.in_([row.id for row in ended]))
    connection.execute(reopened.values(state=OPEN, updated_at=now))
    enqueue(connection, now, [NewJob(queue_of_destination(row.destination), row.id, row.order_key) for row in ended])
    late = [job.id for job in known.values() if job.claim_id is None and job.due_at is not None and job.due_at > now]
    connection.execute(update(jobs).where(jobs.c.id.in_(late)).values(due_at=now))
    return len(ended) + len(late)


def _lock_jobs(connection: Connection, rows: Rows) -> dict[int, Row[*tuple[Any, ...]]]:
    """The open jobs of these deliveries, by delivery."""
    subjects = defaultdict(list)
    for row in rows:
        subjects[queue_of_destination(row.destination)].append(row.id)
    known = {}
    for queue in sorted(subjects):
        query = select(jobs).where(jobs.c.queue == queue, jobs.c.subject.in_(subjects[queue])).order_by(jobs.c.id)
        known.update({job.subject: job for job in connection.execute(query.with_for_update())})
    return known
