"""Jobs in line: new ones, and of those with an `order_key` only the first of each key is due.

Whoever puts such jobs in line or takes them out holds their queues: else two who do not see each other's commit could
leave a key without a job that is due.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from app.domain.delivery import NewDelivery
from app.domain.destination import queue_of_destination
from app.store.tables.attempts import column_of
from app.store.tables.chunks import chunks
from app.store.tables.delivery_progress import OPEN
from app.store.tables.queues import ensure_queues, lock_queues
from app.store.tables.schema import deliveries, jobs

OrderingKey = tuple[str, int]
"""A queue and an order key in it."""

_INSERT_JOB = insert(jobs).returning(jobs.c.id)
"""Nobody reads the ids: with RETURNING many rows make one statement, and one call into the driver."""

_INSERT_DELIVERY = insert(deliveries).returning(deliveries.c.id, deliveries.c.destination, deliveries.c.order_key)


@dataclass(frozen=True)
class NewJob:
    """Work to put in line."""

    queue: str
    subject: int
    order_key: int | None


def enqueue(connection: Connection, now: datetime, new: Sequence[NewJob]) -> None:
    """Jobs that are due now, or once those before them are done."""
    ensure_queues(connection, {job.queue for job in new})
    ordered = [(job.queue, job.order_key) for job in new if job.order_key is not None]
    lock_queues(connection, {queue for queue, _ in ordered})
    taken = set(_first_jobs(connection, ordered))
    rows = [_row(job, now, taken) for job in new]
    if rows:
        connection.execute(_INSERT_JOB, rows).close()


def promote_next(connection: Connection, now: datetime, lines: Iterable[OrderingKey]) -> None:
    """Something left these lines: whoever is the first of each now is due, if it is not already."""
    for some in chunks(sorted(_first_jobs(connection, lines).values())):
        query = update(jobs).where(jobs.c.id.in_(some), jobs.c.due_at.is_(None)).values(due_at=now)
        connection.execute(query)


def _row(job: NewJob, now: datetime, taken: set[OrderingKey]) -> dict[str, Any]:
    line = None if job.order_key is None else (job.queue, job.order_key)
    due_at = None if line in taken else now
    if line is not None:
        taken.add(line)
    row = {"queue": job.queue, "subject": job.subject, "order_key": job.order_key}
    return {**row, "due_at": due_at, "attempts": 0, "claims": 0}


def _first_jobs(connection: Connection, lines: Iterable[OrderingKey]) -> dict[OrderingKey, int]:
    """The first open job of each line that has any."""
    keys = defaultdict(set)
    for queue, key in lines:
        keys[queue].add(key)
    first = {}
    for queue in sorted(keys):
        for some in chunks(sorted(keys[queue])):
            query = select(jobs.c.order_key, func.min(jobs.c.id)).where(
                jobs.c.queue == queue, jobs.c.order_key.in_(some)
            )
            first.update(
                {(queue, key): row_id for key, row_id in connection.execute(query.group_by(jobs.c.order_key))}
            )
    return first


def put_deliveries(connection: Connection, now: datetime, wanted: Iterable[tuple[int, Sequence[NewDelivery]]]) -> int:
    """Make these deliveries of events, which are named by their sequences; how many."""
    untried = {"state": OPEN, "updated_at": now, "attempts": column_of(())}
    rows = [
        {"event": sequence, "destination": new.destination, "order_key": new.order_key, **untried}
        for sequence, news in wanted
        for new in news
    ]
    if rows:
        made = sorted(connection.execute(_INSERT_DELIVERY, rows), key=lambda row: row.id)
        enqueue(
            connection, now, [NewJob(queue_of_destination(row.destination), row.id, row.order_key) for row in made]
        )
    return len(rows)
