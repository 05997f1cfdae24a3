"""Jobs as rows: when the next one is due, how many are open in each queue, and the locks on them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from app.domain.queue import QueueDepth
from app.store.engine.bulk_update import BulkUpdate
from app.store.engine.one_of import one_of
from app.store.tables.queues import queue_of
from app.store.tables.schema import jobs, queues
from app.store.tables.types import chunks

JobRow = Row[*tuple[Any, ...]]

IS_CLAIMED = jobs.c.claim_id.is_not(None)
"""The condition that a job is claimed. It is in flight if `due_at`, the end of the lease, is later than now."""


def is_delayed(now: datetime) -> ColumnElement[bool]:
    """Return the condition on a job that is not claimed and is due only later, as after a failed attempt."""
    return jobs.c.claim_id.is_(None) & (jobs.c.due_at > now)


_LOCK = select(jobs).where(one_of(jobs.c.id, "ids")).order_by(jobs.c.id).with_for_update()

_RELEASE = BulkUpdate(jobs, "due_at", claim_id=None, claims=0)

_EARLIEST = select(
    queues,
    select(func.min(jobs.c.due_at)).where(jobs.c.queue == queues.c.name).scalar_subquery().label("earliest"),
).where(one_of(queues.c.name, "names"))
"""One statement for all queues: a worker asks it after the commits of every process."""


def lock_jobs(connection: Connection, row_ids: Collection[int]) -> list[JobRow]:
    """Lock these jobs until the transaction ends, in the order of their ids, and return their rows."""
    return [row for ids in chunks(sorted(row_ids)) for row in connection.execute(_LOCK, {"ids": ids})]


def release_jobs(connection: Connection, due: Mapping[int, datetime]) -> None:
    """Undo the claims of locked jobs, and make each due at its time. `due`: by the ids of the jobs."""
    _RELEASE.execute(connection, sorted(due.items()))


def find_jobs(connection: Connection, subjects: Mapping[str, Sequence[int]]) -> list[int]:
    """Return the ids of the open jobs about these subjects, which are given for each queue."""
    return [
        row_id
        for queue, in_queue in subjects.items()
        for ids in chunks(in_queue)
        for row_id in connection.execute(
            select(jobs.c.id).where(jobs.c.queue == queue, jobs.c.subject.in_(ids))
        ).scalars()
    ]


def earliest_due(connection: Connection, now: datetime, names: Collection[str]) -> dict[str, datetime]:
    """Return when a job of each queue can be claimed at the earliest: its due time, or the breaker's pause.

    For a claimed job this is the end of its lease. A queue that has no open job, is paused or disabled is left out.
    """
    rows = connection.execute(_EARLIEST, {"names": sorted(names)}).all()
    times = {row.name: queue_of(row).as_of(now).earliest_attempt(row.earliest) for row in rows if row.earliest}
    return {name: time for name, time in times.items() if time is not None}


def depths_of_queues(connection: Connection, now: datetime) -> list[QueueDepth]:
    """Count the open jobs of each queue that has any, and those of them that are in flight; by indexes."""
    claimed = select(jobs.c.queue, func.count()).where(IS_CLAIMED, jobs.c.due_at > now).group_by(jobs.c.queue)
    in_flight: Counter[str] = Counter(dict(connection.execute(claimed).all()))
    query = select(jobs.c.queue, func.count().label("open"), func.min(jobs.c.due_at).label("oldest"))
    rows = connection.execute(query.group_by(jobs.c.queue).order_by(jobs.c.queue))
    return [QueueDepth(row.queue, row.open - in_flight[row.queue], in_flight[row.queue], row.oldest) for row in rows]
