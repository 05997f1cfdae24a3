"""Claims jobs: each belongs to one worker until its lease expires, and a queue has a limited number in flight."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from app.domain.job import SINGLETON_QUEUES, Job
from app.domain.queue import ClaimRequest
from app.store.tables.jobs import IS_CLAIMED, lock_jobs
from app.store.tables.queues import queue_of
from app.store.tables.schema import jobs, queues
from app.store.tables.types import chunks

HeldClaims = dict[tuple[int, int], int | None]
"""Claims that are still held, each a job's id and its `claim_id` (the fence), with the order keys of the jobs."""

_LOCK_QUEUE = select(queues).where(queues.c.name == bindparam("of_queue")).with_for_update(skip_locked=True)
_COUNT_IN_FLIGHT = (
    select(func.count())
    .select_from(jobs)
    .where(jobs.c.queue == bindparam("of_queue"), IS_CLAIMED, jobs.c.due_at > bindparam("now"))
)
_DUE = (
    select(jobs.c.id)
    .where(jobs.c.queue == bindparam("of_queue"), jobs.c.due_at <= bindparam("now"))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(bindparam("max_jobs", type_=Integer, literal_execute=True))  # PostgreSQL plans for this number
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED")
)
_CLAIM = (
    update(jobs)
    .where(jobs.c.id.in_(select(_DUE.c.id)))
    .values(claim_id=bindparam("fence"), claims=jobs.c.claims + 1, due_at=bindparam("until"))
    .returning(jobs.c.id, jobs.c.queue, jobs.c.subject, jobs.c.attempts, jobs.c.claim_id, jobs.c.claims)
)


def claim_jobs(
    connection: Connection, now: datetime, request: ClaimRequest, lease: timedelta
) -> list[tuple[Job, int]]:
    """Claim jobs that are due, those that have been due longest first.

    Return each with the number of its claims since it was last settled. Return none while another transaction has
    locked the queue: it may be claiming, so that the number of jobs in flight is not known.
    """
    limit = min(request.limit, _free_slots(connection, now, request.queue, request.max_in_flight))
    if limit <= 0:
        return []
    fence = secrets.randbits(63)
    values = {"of_queue": request.queue, "now": now, "max_jobs": limit, "fence": fence, "until": now + lease}
    rows = sorted(connection.execute(_CLAIM, values), key=lambda row: row.id)
    return [(Job(row.id, row.queue, row.subject, row.attempts, row.claim_id), row.claims) for row in rows]


def renew_jobs(connection: Connection, until: datetime, claimed: Sequence[Job]) -> set[int]:
    """Extend the leases of the claims that are still held, and return the ids of their jobs."""
    held = {row_id for row_id, _ in lock_held(connection, claimed)}
    for ids in chunks(sorted(held)):
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(due_at=until))
    return held


def hand_back_jobs(connection: Connection, now: datetime, claimed: Sequence[Job]) -> None:
    """Undo the claims that are still held: their jobs are due again, and the claims do not count."""
    unclaimed = {"claim_id": None, "claims": jobs.c.claims - 1, "due_at": now}
    for ids in chunks(sorted(row_id for row_id, _ in lock_held(connection, claimed))):
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(unclaimed))


def lock_held(connection: Connection, claimed: Sequence[Job]) -> HeldClaims:
    """Lock the jobs, singleton jobs first, and return the claims that no other worker has taken over."""
    claims = {(job.id, job.claim_id) for job in claimed}
    singletons = {job.id for job in claimed if job.queue in SINGLETON_QUEUES}
    others = {job.id for job in claimed} - singletons
    rows = [*lock_jobs(connection, singletons), *lock_jobs(connection, others)]
    return {(row.id, row.claim_id): row.order_key for row in rows if (row.id, row.claim_id) in claims}


def _free_slots(connection: Connection, now: datetime, queue: str, max_in_flight: int) -> int:
    """Return how many more jobs of the queue may be in flight; 0 if another transaction has locked it."""
    row = connection.execute(_LOCK_QUEUE, {"of_queue": queue}).one_or_none()
    state = None if row is None else queue_of(row).as_of(now)
    if state is None or state.paused or state.disabled or state.is_resting(now):
        return 0
    in_flight: int = connection.execute(_COUNT_IN_FLIGHT, {"of_queue": queue, "now": now}).scalar_one()
    return state.breaker.slots(now, max_in_flight) - in_flight
