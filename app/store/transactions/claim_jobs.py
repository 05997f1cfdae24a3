"""Claiming jobs: each is one worker's until its lease ends, and only as many at once as its queue takes now."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.store.tables.chunks import chunks
from app.store.tables.jobs import IN_FLIGHT
from app.store.tables.queues import queue_of
from app.store.tables.schema import jobs, queues

Held = dict[tuple[int, int], int | None]
"""Claims, each a job's id and its `claim_id`, the fence; and the jobs' order keys."""
_QUEUE = select(queues).where(queues.c.name == bindparam("of_queue")).with_for_update(skip_locked=True)
_FLYING = (
    select(func.count())
    .select_from(jobs)
    .where(jobs.c.queue == bindparam("of_queue"), IN_FLIGHT, jobs.c.due_at > bindparam("now"))
)
_DUE = (
    select(jobs.c.id)
    .where(jobs.c.queue == bindparam("of_queue"), jobs.c.due_at <= bindparam("now"))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(bindparam("few", type_=Integer, literal_execute=True))  # so that PostgreSQL plans for a few
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
_CLAIMED = (
    select(jobs.c.id, jobs.c.claim_id, jobs.c.order_key)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(jobs.c.id)
    .with_for_update()
)


def claim_jobs(
    connection: Connection, now: datetime, wanted: ClaimRequest, lease: timedelta
) -> list[tuple[Job, int]]:
    """Jobs that are due, the longest due first, each with the number of its claims since it was last settled."""
    limit = min(wanted.limit, _free_slots(connection, now, wanted.queue, wanted.max_in_flight))
    if limit <= 0:
        return []
    fence = secrets.randbits(63)
    asked = {"of_queue": wanted.queue, "now": now, "few": limit, "fence": fence, "until": now + lease}
    rows = sorted(connection.execute(_CLAIM, asked), key=lambda row: row.id)
    return [(Job(row.id, row.queue, row.subject, row.attempts, row.claim_id), row.claims) for row in rows]


def _free_slots(connection: Connection, now: datetime, queue: str, max_in_flight: int) -> int:
    """How many more jobs may be in flight now. None if somebody else holds the queue: then he is claiming."""
    row = connection.execute(_QUEUE, {"of_queue": queue}).one_or_none()
    if row is None or row.paused or row.disabled:
        return 0
    flying: int = connection.execute(_FLYING, {"of_queue": queue, "now": now}).scalar_one()
    return queue_of(row).breaker.slots(now, max_in_flight) - flying


def renew_jobs(connection: Connection, until: datetime, claimed: Sequence[Job]) -> set[int]:
    """Move the end of the leases that are still held; the ids of these jobs."""
    held = {row_id for row_id, _ in lock_held(connection, claimed)}
    for some in chunks(sorted(held)):
        connection.execute(update(jobs).where(jobs.c.id.in_(some)).values(due_at=until))
    return held


def hand_back_jobs(connection: Connection, now: datetime, claimed: Sequence[Job]) -> None:
    """Jobs that were not begun are due as if this claim had not been."""
    unclaimed = {"claim_id": None, "claims": jobs.c.claims - 1, "due_at": now}
    for some in chunks(sorted(row_id for row_id, _ in lock_held(connection, claimed))):
        connection.execute(update(jobs).where(jobs.c.id.in_(some)).values(unclaimed))


def lock_held(connection: Connection, claimed: Sequence[Job]) -> Held:
    """The claims that nobody has taken over, with their jobs' order keys; held until the transaction ends."""
    claims = {(job.id, job.claim_id) for job in claimed}
    held: Held = {}
    for some in chunks(sorted({row_id for row_id, _ in claims})):
        for row in connection.execute(_CLAIMED, {"ids": some}):
            held[row.id, row.claim_id] = row.order_key
    return {claim: order_key for claim, order_key in held.items() if claim in claims}
