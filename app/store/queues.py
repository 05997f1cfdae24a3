"""Queues: what holds for all jobs of one. A human paused it, the other side is gone, or its breaker is open."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from app.domain.breaker import Breaker
from app.domain.queue import QueueState
from app.store.repository import Repository
from app.store.tables.queues import columns_of, ensure_queues, lock_queues, queue_of
from app.store.tables.schema import jobs, queues

STEP = 2000


class Queues(Repository):
    """What holds for all jobs of a queue."""

    def ensure(self, names: Iterable[str]) -> None:
        """Make those that are missing."""
        wanted = sorted(set(names))
        self._store.write(lambda c: ensure_queues(c, wanted))

    def all(self) -> list[QueueState]:
        """Every queue, by name."""
        query = select(queues).order_by(queues.c.name)
        return self._store.database.read(lambda c: [queue_of(row) for row in c.execute(query)])

    def get(self, name: str) -> QueueState | None:
        """The queue with this name, if there is one."""
        query = select(queues).where(queues.c.name == name)
        row = self._store.database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else queue_of(row)

    def pause(self, name: str, on: bool) -> None:
        """From now on nothing of this queue is claimed, or is again. What is in flight ends as it would."""
        query = update(queues).where(queues.c.name == name).values(paused=on)
        self._store.write(lambda c: c.execute(query), "work")

    def resume(self, name: str) -> None:
        """Let the queue go on as a new one, and what waits for a retry be due now. A transaction for each few."""
        now = self._store.write(lambda c: self._reopen(c, name), "work")
        while self._store.write(lambda c: _make_due(c, name, now), "work"):
            pass

    def _reopen(self, connection: Connection, name: str) -> datetime:
        lock_queues(connection, [name])
        fresh = {"paused": False, "disabled": False, **columns_of(Breaker())}
        connection.execute(update(queues).where(queues.c.name == name).values(fresh))
        return self._store.now(connection)


def _make_due(connection: Connection, name: str, now: datetime) -> int:
    """Some of those that wait for a retry; how many. What another has locked is in flight and none of them."""
    waiting = select(jobs.c.id).where(jobs.c.queue == name, jobs.c.due_at > now, jobs.c.claim_id.is_(None))
    found = connection.execute(
        waiting.order_by(jobs.c.due_at).limit(STEP).with_for_update(skip_locked=True)
    ).scalars()
    rows = [{"job_id": row_id} for row_id in found]
    if rows:
        connection.execute(update(jobs).where(jobs.c.id == bindparam("job_id")).values(due_at=now), rows)
    return len(rows)
