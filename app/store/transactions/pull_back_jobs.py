"""Pulls back jobs that are due later than they can be: their times were stored while the clock was ahead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, tuple_, update

from app.domain.clock import CLOCK_TOLERANCE, DueLimits
from app.domain.job import SINGLETON_QUEUES
from app.store.tables.jobs import JobRow, lock_jobs
from app.store.tables.queues import queue_of
from app.store.tables.schema import jobs, queues
from app.store.tables.types import UtcDateTime

STEP = 2000

Position = tuple[datetime, int]
"""The due time and the id of a job: where a page ends."""

_QUEUE = select(queues).where(queues.c.name == bindparam("of_queue"))
_SINGLETON_JOBS = select(jobs).where(jobs.c.queue.in_(SINGLETON_QUEUES))
_DUE_AFTER = (
    select(jobs)
    .where(
        jobs.c.queue == bindparam("of_queue"),
        tuple_(jobs.c.due_at, jobs.c.id) > tuple_(bindparam("due", type_=UtcDateTime), bindparam("row_id")),
    )
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(STEP)
)
_PULL_BACK = update(jobs).where(jobs.c.id == bindparam("job_id")).values(due_at=bindparam("due"))


@dataclass(frozen=True)
class PulledBack:
    """How far beyond its limit the farthest waiting job of a page was due, and where the next page begins.

    Claims do not count: a worker with a longer lease may have made them.
    """

    excess: timedelta
    next: Position | None


def pull_back_jobs(
    connection: Connection, now: datetime, queue: str, *, lease: timedelta, after: Position | None
) -> PulledBack:
    """Look at the jobs of a queue that are due in the future, or after this position: at most `STEP`, in their order.

    Pull back those that are due beyond their limits. One that waits is due now. A claim lasts for one more lease,
    because its worker may be alive.
    """
    limits = DueLimits(now, lease, _asked_until(connection, now, queue))
    due, row_id = after or (now + CLOCK_TOLERANCE, 0)
    page = connection.execute(_DUE_AFTER, {"of_queue": queue, "due": due, "row_id": row_id}).all()
    locked = lock_jobs(connection, [row.id for row in page if _excess(limits, row)])
    ahead = [row for row in locked if _excess(limits, row)]
    if ahead:
        rows = [{"job_id": row.id, "due": now if row.claim_id is None else now + lease} for row in ahead]
        connection.execute(_PULL_BACK, rows)
    excess = max((_excess(limits, row) for row in ahead if row.claim_id is None), default=timedelta())
    return PulledBack(excess, (page[-1].due_at, page[-1].id) if len(page) == STEP else None)


def is_singleton_job_ahead(connection: Connection, now: datetime, lease: timedelta) -> bool:
    """Return whether a singleton job is due beyond its limit. All are due soon after the last action of a worker."""
    limits = DueLimits(now, lease)
    return any(_excess(limits, row) for row in connection.execute(_SINGLETON_JOBS))


def _asked_until(connection: Connection, now: datetime, queue: str) -> datetime | None:
    row = connection.execute(_QUEUE, {"of_queue": queue}).one_or_none()
    return None if row is None else queue_of(row).as_of(now).breaker.open_until


def _excess(limits: DueLimits, job: JobRow) -> timedelta:
    is_claimed = job.claim_id is not None
    return limits.excess(job.queue, attempts=job.attempts, is_claimed=is_claimed, due_at=job.due_at)
