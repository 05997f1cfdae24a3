"""Wakes held messages: those of a scope that goes on are due at once.

There may be any number of them, and a transaction wakes only some. When one of those is claimed, it wakes the next
ones of its scope, so that the others follow as fast as their number sends. Where that does not happen, because they
were cancelled or erased, or because a worker of an older release has claimed them, the watch wakes the next ones.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, text, update

from app.domain.job import Job, Retry
from app.domain.job_result import JobResult
from app.domain.message import SEND_QUEUE
from app.domain.scope_pause import ScopePause
from app.domain.send_outcome import SendResult
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs, queues
from app.store.tables.scopes import read_scopes
from app.store.tables.types import chunks

WAKE_STEP = 100
"""How many messages of a number and a scope one transaction wakes."""

LOOK_STEP = 1000
"""How many scopes that hold messages one search for messages that nothing has woken looks at."""

MAX_RELEASED = 20
"""How many scopes are woken after one search."""

_HELD = (
    select(jobs.c.id)
    .where(
        jobs.c.held_by == bindparam("scope"),
        jobs.c.queue == bindparam("of_queue"),
        jobs.c.due_at > bindparam("now"),
        jobs.c.claim_id.is_(None),
    )
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(WAKE_STEP)
    .with_for_update(skip_locked=True)
)
_HOLDING = text(
    "WITH RECURSIVE holding(name) AS (SELECT min(held_by) FROM jobs WHERE held_by > :after UNION ALL"
    " SELECT (SELECT min(held_by) FROM jobs WHERE held_by > holding.name) FROM holding WHERE name IS NOT NULL)"
    " SELECT name FROM holding WHERE name IS NOT NULL LIMIT :step"
)
"""The next scopes that hold messages, by one index lookup for each. DISTINCT would read all held messages."""

_FIRST_DUE = (
    select(func.min(jobs.c.due_at))
    .where(jobs.c.held_by == bindparam("scope"), jobs.c.queue == queues.c.name)
    .scalar_subquery()
)
_IS_ASLEEP = (
    select(queues.c.name)
    .where(queues.c.name.startswith(SEND_QUEUE), bindparam("now", type_=jobs.c.due_at.type) < _FIRST_DUE)
    .limit(1)
)


@dataclass(frozen=True)
class ReleasedScopes:
    """Scopes that are paused no more, and of whose held messages none is due. `next`: where the next look begins."""

    names: list[str]
    next: str


def wake_held(connection: Connection, now: datetime, scopes: Iterable[str]) -> None:
    """Let the first messages of each number that these scopes hold back be looked at again at once."""
    ordered = sorted(scopes)
    for queue in sorted(lock_queues(connection, send_queues(connection))):
        _wake(connection, now, queue, ordered)


def wake_next(connection: Connection, now: datetime, queue: str, claimed: Sequence[Job]) -> None:
    """Wake the next messages of the scopes that have held these back and go on. The queue and the jobs are locked."""
    scopes = {job.held_by for job in claimed if job.held_by is not None}
    if not scopes:
        return
    free = _free(connection, now, scopes)
    for ids in chunks(sorted(job.id for job in claimed if job.held_by in free)):
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(held_by=None))
    _wake(connection, now, queue, free)


def wake_settled(connection: Connection, now: datetime, results: Sequence[JobResult]) -> None:
    """Let messages that were held be due at once if their scopes go on since they were looked at.

    Their queues are locked and their jobs released: whatever ends a pause was before this, and is seen here, or it
    waits for the locks, and finds the jobs. A message that Meta itself has just refused waits all the same.
    """
    held: dict[str, list[int]] = defaultdict(list)
    for result in results:
        is_refused = isinstance(result, SendResult) and result.reserved is not None
        if isinstance(result.outcome, Retry) and result.outcome.held_by is not None and not is_refused:
            held[result.outcome.held_by].append(result.job.id)
    if held:
        going_on = [row_id for scope in _free(connection, now, held) for row_id in held[scope]]
        _make_due(connection, now, going_on)


def find_released(connection: Connection, now: datetime, after: str) -> ReleasedScopes:
    """Return the next scopes behind `after` whose held messages nothing has woken, though they may be sent."""
    names = connection.execute(_HOLDING, {"after": after, "step": LOOK_STEP}).scalars().all()
    released: list[str] = []
    for name in _free(connection, now, names):
        if connection.execute(_IS_ASLEEP, {"scope": name, "now": now}).first() is not None:
            released.append(name)
        if len(released) == MAX_RELEASED:
            return ReleasedScopes(released, name)
    return ReleasedScopes(released, names[-1] if len(names) == LOOK_STEP else "")


def _free(connection: Connection, now: datetime, scopes: Collection[str]) -> list[str]:
    """Return those of these scopes that hold nothing back any more, in the order of their names."""
    paused: dict[str, ScopePause] = {}
    for names in chunks(sorted(scopes)):
        paused |= read_scopes(connection, names)
    return [name for name in sorted(scopes) if name not in paused or not paused[name].holds(now)]


def _wake(connection: Connection, now: datetime, queue: str, scopes: Sequence[str]) -> None:
    for scope in scopes:
        held = connection.execute(_HELD, {"scope": scope, "of_queue": queue, "now": now}).scalars().all()
        _make_due(connection, now, held)


def _make_due(connection: Connection, now: datetime, row_ids: Sequence[int]) -> None:
    for ids in chunks(row_ids):
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(due_at=now))


def end_rests(connection: Connection, names: Iterable[str]) -> None:
    """Let these queues, which are locked, rest no longer: what they waited for may be over."""
    for name in sorted(names):
        connection.execute(update(queues).where(queues.c.name == name).values(rest_until=None))


def send_queues(connection: Connection) -> Sequence[str]:
    """Return the queues of all numbers."""
    return connection.execute(select(queues.c.name).where(queues.c.name.startswith(SEND_QUEUE))).scalars().all()
