"""Claims jobs: each belongs to one worker until its lease expires, and for a slot of its queue.

A queue has as many slots as jobs may be in flight. The jobs of a slot are handled one after the other, so that a
worker may claim some ahead of those in flight. A slot is the upper half of fences: it is free once no claim has it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from sqlalchemy import Connection, Integer, bindparam, select, update

from app.domain.breaker import Breaker
from app.domain.job import SINGLETON_QUEUES, SLOT_BITS, Job
from app.domain.queue import ClaimRequest
from app.store.engine.bulk_update import BulkUpdate
from app.store.tables.jobs import IS_CLAIMED, JobRow, lock_jobs
from app.store.tables.queues import queue_of
from app.store.tables.schema import jobs, queues
from app.store.tables.types import chunks

HeldClaims = dict[tuple[int, int], int | None]
"""Claims that are still held, each a job's id and its `claim_id` (the fence), with the order keys of the jobs."""

_LOCK_QUEUE = select(queues).where(queues.c.name == bindparam("of_queue")).with_for_update()
_OCCUPIED_SLOTS = (
    select(jobs.c.claim_id // 2**SLOT_BITS)
    .where(jobs.c.queue == bindparam("of_queue"), IS_CLAIMED, jobs.c.due_at > bindparam("now"))
    .distinct()
)
_LOCK_DUE = (
    select(jobs)
    .where(jobs.c.queue == bindparam("of_queue"), jobs.c.due_at <= bindparam("now"))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(bindparam("max_jobs", type_=Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = BulkUpdate(jobs, "claim_id", claims=jobs.c.claims + 1, due_at=bindparam("until"))
_HAND_BACK = BulkUpdate(jobs, "due_at", claim_id=None, claims=jobs.c.claims - 1)


@dataclass(frozen=True)
class _Slots:
    """The slots that jobs may be claimed for: first `free` ones, then `held` ones, where the worker has jobs.

    Unless `are_shared`, only one job for each free slot.
    """

    free: list[int]
    held: list[int]
    are_shared: bool = False

    @property
    def for_jobs(self) -> list[int]:
        return [*self.free, *self.held] if self.are_shared else self.free


def claim_jobs(
    connection: Connection, now: datetime, request: ClaimRequest, lease: timedelta
) -> list[tuple[Job, int]]:
    """Claim jobs that are due, those that have been due longest first.

    Return each with the number of its claims since it was last settled. Wait for a transaction that has locked the
    queue: it may be claiming, so that the slots in use are not known.

    Jobs that were claimed before and never settled may have killed their worker. They get free slots only, and no
    other job is claimed with them, so that as few others as possible share their fate.
    """
    slots = _usable_slots(connection, now, request)
    numbers = slots.for_jobs
    limit = request.limit if slots.are_shared else min(request.limit, len(numbers))
    rows = _lock_due(connection, now, request.queue, limit) if numbers and limit > 0 else []
    if any(row.claims for row in rows):
        numbers, rows = slots.free, rows[: len(slots.free)]
    claimed = [
        (Job(row.id, row.queue, row.subject, row.attempts, _fence(slot), row.due_at, row.held_by), row.claims + 1)
        for row, slot in zip(rows, cycle(numbers), strict=False)
    ]
    _CLAIM.execute(connection, [(job.id, job.claim_id) for job, _ in claimed], until=now + lease)
    return claimed


def _fence(slot: int) -> int:
    return slot << SLOT_BITS | secrets.randbits(SLOT_BITS)


def _lock_due(connection: Connection, now: datetime, queue: str, limit: int) -> Sequence[JobRow]:
    return connection.execute(_LOCK_DUE, {"of_queue": queue, "now": now, "max_jobs": limit}).all()


def _usable_slots(connection: Connection, now: datetime, request: ClaimRequest) -> _Slots:
    """Lock the queue, and return the slots for this request.

    Slots are shared only while nothing fails: a job that is claimed ahead of a failure would have to be handed back.
    """
    row = connection.execute(_LOCK_QUEUE, {"of_queue": request.queue}).one_or_none()
    state = None if row is None else queue_of(row).as_of(now)
    if state is None or state.paused or state.disabled or state.is_resting(now):
        return _Slots([], [])
    breaker = state.breaker
    occupied = set(connection.execute(_OCCUPIED_SLOTS, {"of_queue": request.queue, "now": now}).scalars())
    held = [slot for slot in request.held if slot in occupied]
    wanted = len(held) + request.limit if request.slots is None else request.slots
    free = min(wanted, breaker.slots(now, request.max_in_flight) - len(occupied - set(held))) - len(held)
    are_shared = request.slots is not None and breaker == Breaker() and free >= 0
    return _Slots([secrets.randbits(SLOT_BITS - 1) for _ in range(free)], held, are_shared)


def renew_jobs(connection: Connection, until: datetime, claimed: Sequence[Job]) -> set[int]:
    """Extend the leases of the claims that are still held, and return the ids of their jobs."""
    held = {row_id for row_id, _ in lock_held(connection, claimed)}
    for ids in chunks(sorted(held)):
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(due_at=until))
    return held


def hand_back_jobs(connection: Connection, now: datetime, claimed: Sequence[Job]) -> None:
    """Undo the claims that are still held: their jobs are due as they were before, and the claims do not count."""
    held = lock_held(connection, claimed)
    _HAND_BACK.execute(connection, [(job.id, job.due_at or now) for job in claimed if (job.id, job.claim_id) in held])


def lock_held(connection: Connection, claimed: Sequence[Job]) -> HeldClaims:
    """Lock the jobs, singleton jobs first, and return the claims that no other worker has taken over."""
    claims = {(job.id, job.claim_id) for job in claimed}
    singletons = {job.id for job in claimed if job.queue in SINGLETON_QUEUES}
    others = {job.id for job in claimed} - singletons
    rows = [*lock_jobs(connection, singletons), *lock_jobs(connection, others)]
    return {(row.id, row.claim_id): row.order_key for row in rows if (row.id, row.claim_id) in claims}
