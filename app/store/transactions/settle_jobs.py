"""Settles jobs: records the results of attempts, of those jobs only whose claim is still held.

Knows nothing of what a job is about. The caller hands in, for each kind of queue, a function that records what its
results change in other tables.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, update

from app.domain.job import SINGLETON_QUEUES, Job, Retry, kind_of_queue
from app.domain.job_result import JobResult
from app.domain.queue import QueueState
from app.store.engine.one_of import one_of
from app.store.tables.queue_health import Jitter, QueueChange, record_queue_health
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs
from app.store.tables.types import chunks
from app.store.transactions.claim_jobs import HeldClaims, lock_held
from app.store.transactions.enqueue import promote_next

RecordResults = Callable[[Connection, datetime, Sequence[JobResult]], None]
"""Record results of one kind of queue in the tables that only this kind uses. Their queues are locked."""

RecordAll = Callable[[Connection, datetime, Sequence[JobResult], Sequence[JobResult]], None]
"""Record these results, and those whose claim was lost: both together, so that each table is locked once."""

_RETRY = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(
        claim_id=None,
        claims=0,
        due_at=bindparam("due"),
        attempts=jobs.c.attempts + bindparam("new_attempts"),
        held_by=bindparam("scope"),
    )
)
_LEAVE_ORDER = update(jobs).where(one_of(jobs.c.id, "ids")).values(order_key=None)
_DELETE = delete(jobs).where(one_of(jobs.c.id, "ids"))


@dataclass(frozen=True)
class SettledJobs:
    """For each result, whether it was applied; and the queues whose state the results changed."""

    applied: list[bool]
    changes: list[QueueChange]


def settle_jobs(
    connection: Connection,
    now: datetime,
    results: Sequence[JobResult],
    *,
    recorders: Mapping[str, RecordResults],
    late_recorders: Mapping[str, RecordAll],
    jitter: Jitter,
) -> SettledJobs:
    """Apply the results whose claim is still held; of several results for one claim, the first.

    `recorders` holds one function for each kind of queue that has one. Where a claim was lost, the one of the kind in
    `late_recorders` records all results instead, if it has one.
    """
    queues, held = _lock(connection, [result.job for result in results])
    first = {(result.job.id, result.job.claim_id): result for result in reversed(results)}
    applied = [(key := (result.job.id, result.job.claim_id)) in held and first[key] is result for result in results]
    valid = [result for result, is_applied in zip(results, applied, strict=True) if is_applied]
    _make_due(connection, now, [result for result in valid if _stays(result)])
    _leave_order(connection, now, [result.job for result in valid if not _keeps_order(result)], held)
    _delete(connection, now, [result.job for result in valid if not _stays(result)], held)
    late = _by_kind(result for result in results if (result.job.id, result.job.claim_id) not in held)
    with_late = late.keys() & late_recorders.keys()
    by_kind = _by_kind(valid)
    for kind in by_kind.keys() & recorders.keys() - with_late:
        recorders[kind](connection, now, by_kind[kind])
    for kind in with_late:
        late_recorders[kind](connection, now, by_kind.get(kind, []), late[kind])
    return SettledJobs(applied, record_queue_health(connection, now, queues, valid, jitter))


def _lock(connection: Connection, claimed: Sequence[Job]) -> tuple[dict[str, QueueState], HeldClaims]:
    """Lock singleton jobs, then the queues of the other jobs, then these jobs."""
    singletons = lock_held(connection, [job for job in claimed if job.queue in SINGLETON_QUEUES])
    others = [job for job in claimed if job.queue not in SINGLETON_QUEUES]
    queues = lock_queues(connection, {job.queue for job in others})
    return queues, {**singletons, **lock_held(connection, others)}


def _stays(result: JobResult) -> bool:
    return isinstance(result.outcome, Retry) or result.job.queue in SINGLETON_QUEUES


def _keeps_order(result: JobResult) -> bool:
    return not isinstance(result.outcome, Retry) or result.outcome.keeps_order


def _make_due(connection: Connection, now: datetime, results: Iterable[JobResult]) -> None:
    """Release the claims and make the jobs due again. The attempts of singleton jobs are not counted."""
    rows = [
        {
            "job_id": result.job.id,
            "due": now + (result.outcome.delay if isinstance(result.outcome, Retry) else timedelta()),
            "scope": result.outcome.held_by if isinstance(result.outcome, Retry) else None,
            "new_attempts": 0 if result.job.queue in SINGLETON_QUEUES else 1,
        }
        for result in results
    ]
    if rows:
        connection.execute(_RETRY, rows)


def _delete(connection: Connection, now: datetime, ended: Sequence[Job], held: HeldClaims) -> None:
    """Delete jobs that are done or dead; the next job of each ordering key is due."""
    for ids in chunks(sorted(job.id for job in ended)):
        connection.execute(_DELETE, {"ids": ids})
    promote_next(connection, now, {(job.queue, held[job.id, job.claim_id]) for job in ended})


def _leave_order(connection: Connection, now: datetime, leaving: Sequence[Job], held: HeldClaims) -> None:
    """Let jobs that are attempted again much later hold up no others: the next job of each ordering key is due."""
    for ids in chunks(sorted(job.id for job in leaving)):
        connection.execute(_LEAVE_ORDER, {"ids": ids})
    promote_next(connection, now, {(job.queue, held[job.id, job.claim_id]) for job in leaving})


def _by_kind(results: Iterable[JobResult]) -> dict[str, list[JobResult]]:
    by_kind = defaultdict(list)
    for result in results:
        by_kind[kind_of_queue(result.job.queue)].append(result)
    return by_kind
