"""Settling jobs: what became of a try is written down at once, by its owner only."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, update

from app.domain.job import SINGLETON_QUEUES, Job, Retry
from app.domain.job_result import JobResult
from app.domain.queue import QueueState
from app.store.tables.chunks import chunks
from app.store.tables.delivery_progress import record_attempts
from app.store.tables.queue_health import Jitter, record_queue_health
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs
from app.store.transactions.claim_jobs import Held, lock_held
from app.store.transactions.enqueue import promote_next

_PUT_BACK = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(claim_id=None, claims=0, due_at=bindparam("due"), attempts=jobs.c.attempts + bindparam("tried"))
)
_TAKE_OUT = delete(jobs).where(jobs.c.id.in_(bindparam("ids", expanding=True)))


def settle_jobs(
    connection: Connection, now: datetime, settlements: Sequence[JobResult], jitter: Jitter
) -> list[bool]:
    """Apply those whose claim is still held, each claim's first; which they are."""
    queues, held = _lock(connection, [end.job for end in settlements])
    first = {(end.job.id, end.job.claim_id): end for end in reversed(settlements)}
    applied = [
        (end.job.id, end.job.claim_id) in held and first[end.job.id, end.job.claim_id] is end for end in settlements
    ]
    ends = [end for end, applies in zip(settlements, applied, strict=True) if applies]
    _put_back(connection, now, [end for end in ends if _stays(end)])
    _take_out(connection, now, [end.job for end in ends if not _stays(end)], held)
    record_attempts(connection, now, ends)
    record_queue_health(connection, now, queues, ends, jitter)
    return applied


def _lock(connection: Connection, claimed: Sequence[Job]) -> tuple[dict[str, QueueState], Held]:
    """Singleton jobs first: the splitter holds its own while it locks queues. Then queues, then the other jobs."""
    singleton = lock_held(connection, [job for job in claimed if job.queue in SINGLETON_QUEUES])
    others = [job for job in claimed if job.queue not in SINGLETON_QUEUES]
    queues = lock_queues(connection, {job.queue for job in others})
    return queues, {**singleton, **lock_held(connection, others)}


def _stays(end: JobResult) -> bool:
    return isinstance(end.outcome, Retry) or end.job.queue in SINGLETON_QUEUES


def _put_back(connection: Connection, now: datetime, ends: Iterable[JobResult]) -> None:
    """Due again. A singleton job never ends, so that its tries are not counted."""
    rows = [
        {
            "job_id": end.job.id,
            "due": now + (end.outcome.delay if isinstance(end.outcome, Retry) else timedelta()),
            "tried": 0 if end.job.queue in SINGLETON_QUEUES else 1,
        }
        for end in ends
    ]
    if rows:
        connection.execute(_PUT_BACK, rows)


def _take_out(connection: Connection, now: datetime, ended: Sequence[Job], held: Held) -> None:
    """No longer open; whoever waited behind them is due."""
    for some in chunks(sorted(job.id for job in ended)):
        connection.execute(_TAKE_OUT, {"ids": some})
    keys = [(job.queue, held[job.id, job.claim_id]) for job in ended]
    promote_next(connection, now, {(queue, key) for queue, key in keys if key is not None})
