"""Queues: the state that applies to all jobs of a queue. It may be paused, disabled, or stopped by its breaker."""

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
    """The state that applies to all jobs of a queue."""

    def ensure(self, names: Iterable[str]) -> None:
        """Add the queues that are missing."""
        unique = set(names)
        self._store.write(lambda c: ensure_queues(c, unique))

    def all(self) -> list[QueueState]:
        """Return every queue, by name."""
        query = select(queues).order_by(queues.c.name)
        return self._store.database.read(lambda c: [queue_of(row) for row in c.execute(query)])

    def get(self, name: str) -> QueueState | None:
        """Return the queue with this name."""
        query = select(queues).where(queues.c.name == name)
        row = self._store.database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else queue_of(row)

    def pause(self, name: str, on: bool) -> None:
        """Stop claims of this queue, or allow them again. Jobs in flight are settled as usual."""
        change = update(queues).where(queues.c.name == name, queues.c.paused.is_not(on))

        def pause(connection: Connection) -> None:
            paused_at = self._store.now(connection) if on else None
            connection.execute(change.values(paused=on, paused_at=paused_at))

        self._store.write(pause, "work")

    def resume(self, name: str) -> None:
        """Reset the queue's state, and make jobs that wait for a retry due now: `STEP` in each transaction."""
        now = self._store.write(lambda c: self._reset(c, name), "work")
        while self._store.write(lambda c: _make_due(c, name, now), "work"):
            pass

    def _reset(self, connection: Connection, name: str) -> datetime:
        lock_queues(connection, [name])
        fresh = {
            "paused": False,
            "disabled": False,
            "rest_until": None,
            "refusals": 0,
            "paused_at": None,
            "was_open_at": None,
            **columns_of(Breaker()),
        }
        connection.execute(update(queues).where(queues.c.name == name).values(fresh))
        return self._store.now(connection)


def _make_due(connection: Connection, name: str, now: datetime) -> int:
    """Make some jobs that wait for a retry due, and return how many.

    A job that another transaction has locked is being settled or claimed, and is none of them.
    """
    waiting = select(jobs.c.id).where(jobs.c.queue == name, jobs.c.due_at > now, jobs.c.claim_id.is_(None))
    locked = connection.execute(waiting.order_by(jobs.c.due_at).limit(STEP).with_for_update(skip_locked=True))
    rows = [{"job_id": row_id} for row_id in locked.scalars()]
    if rows:
        connection.execute(update(jobs).where(jobs.c.id == bindparam("job_id")).values(due_at=now), rows)
    return len(rows)
