"""Enqueues jobs. Of the jobs with the same ordering key only the first is due; the others wait until it is deleted.

Each transaction that adds or deletes such jobs has locked their queue. Two that do not see each other's changes could
otherwise leave an ordering key without a due job.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, literal_column, select, tuple_, update

from app.store.engine.bulk_insert import BulkInsert
from app.store.engine.one_of import each_of
from app.store.tables.jobs import JobRow
from app.store.tables.queues import ensure_locked, ensure_queues
from app.store.tables.schema import jobs
from app.store.tables.types import MAX_ROW_ID, chunks

KeyOfJob = tuple[str, int | None]
"""The queue of a job and its order key. A job without one waits for no other, and none waits for it."""

OrderingKey = tuple[str, int]
"""A queue and an order key in it. Jobs with the same ordering key run one after the other."""

_GIVEN = each_of("keys", jobs.c.order_key.type).table()
_ORDER = jobs.c.order_key, jobs.c.queue, jobs.c.id
_FROM, _TO = (tuple_(_GIVEN.c.value, bindparam("of_queue"), literal_column(str(end))) for end in (0, MAX_ROW_ID))
_FIRST_OF_ONE = (
    select(jobs.c.id)
    .where(tuple_(*_ORDER) >= _FROM, tuple_(*_ORDER) <= _TO, jobs.c.order_key.is_not(None))
    .order_by(*_ORDER)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_FIRST = select(_GIVEN.c.value, _FIRST_OF_ONE)
"""Looks each order key up by itself, in a range and an order that only `jobs_order_key` has. With a condition on the
queue, PostgreSQL reads every job of the queue by another index until it has statistics of a queue that is new or has
grown: to the planner, a queue that it does not know has one job. See decision 43."""

_INSERT = BulkInsert(jobs, "queue", "subject", "order_key", "due_at", "attempts", "claims")


class NewJob(NamedTuple):
    """A job to enqueue. `subject`: the row that it is about. `delay`: how long it waits if no other job is before it.

    `attempts`: those of an earlier job for the row. `former_keys`: earlier values of the order key, from before
    contacts were joined. While a job with one of them is open, this job gets the same key, to stay behind it.
    """

    queue: str
    subject: int
    order_key: int | None
    delay: timedelta = timedelta()
    former_keys: Collection[int] = ()
    attempts: int = 0

    def key_among(self, occupied: Container[OrderingKey]) -> int | None:
        """Return the order key that the job gets while jobs with these are open."""
        for key in sorted(self.former_keys):
            if (self.queue, key) in occupied:
                return key
        return self.order_key

    @property
    def ordering_key(self) -> OrderingKey | None:
        """The job's ordering key, if it has one."""
        return None if self.order_key is None else (self.queue, self.order_key)


def enqueue(connection: Connection, now: datetime, new_jobs: Sequence[NewJob]) -> None:
    """Add these jobs. Each is due now, or once the earlier jobs with its ordering key are deleted."""
    if not new_jobs:
        return
    keys = {key for job in new_jobs if (key := job.ordering_key) is not None}
    ordering = {queue for queue, _ in keys}
    if unordered := {job.queue for job in new_jobs} - ordering:
        ensure_queues(connection, unordered)
    ensure_locked(connection, ordering)
    former = {(job.queue, key) for job in new_jobs for key in job.former_keys}
    occupied = set(_first_jobs(connection, keys | former))
    _INSERT.execute(connection, [_row(job, now, occupied) for job in new_jobs])


def delete_jobs(connection: Connection, now: datetime, locked: Sequence[JobRow]) -> None:
    """Delete these locked jobs, claimed ones too; the next job of each ordering key is due."""
    for ids in chunks([job.id for job in locked]):
        connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
    promote_next(connection, now, {(job.queue, job.order_key) for job in locked})


def promote_next(connection: Connection, now: datetime, keys: Iterable[KeyOfJob]) -> None:
    """Make the first job of each ordering key due, unless it is already: the job before it has left the order."""
    ordering = {(queue, key) for queue, key in keys if key is not None}
    for ids in chunks(sorted(_first_jobs(connection, ordering).values())):
        query = update(jobs).where(jobs.c.id.in_(ids), jobs.c.due_at.is_(None)).values(due_at=now)
        connection.execute(query)


def _row(job: NewJob, now: datetime, occupied: set[OrderingKey]) -> tuple[Any, ...]:
    order_key = job.key_among(occupied)
    is_first = order_key is None or (job.queue, order_key) not in occupied
    if order_key is not None:
        occupied.add((job.queue, order_key))
    return job.queue, job.subject, order_key, now + job.delay if is_first else None, job.attempts, 0


def _first_jobs(connection: Connection, keys: Iterable[OrderingKey]) -> dict[OrderingKey, int]:
    """Return the id of the first open job of each ordering key that has any."""
    by_queue = defaultdict(set)
    for queue, order_key in keys:
        by_queue[queue].add(order_key)
    first: dict[OrderingKey, int] = {}
    for queue, order_keys in sorted(by_queue.items()):
        for chunk in chunks(sorted(order_keys)):
            rows = connection.execute(_FIRST, {"of_queue": queue, "keys": chunk})
            first.update({(queue, order_key): row_id for order_key, row_id in rows if row_id is not None})
    return first
