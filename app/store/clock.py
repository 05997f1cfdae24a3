"""The clock that all processes on a database share: its jumps, and the jobs that wait because of them.

On PostgreSQL it is the server's, on SQLite that of the machine.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from app.domain.clock import ClockJump
from app.store.repository import Repository
from app.store.tables.schema import clock_jump
from app.store.transactions.pull_back_jobs import Position, PulledBack, is_singleton_job_ahead, pull_back_jobs


class Clock(Repository):
    """The clock, its last jump, and the jobs that are due too late because of a jump."""

    def now(self) -> datetime:
        """Return the time."""
        return self._store.database.read(self._store.now)

    def is_singleton_job_ahead(self, lease: timedelta) -> bool:
        """Return whether a singleton job is due later than it can be, so that the clock has been set back."""
        return self._store.database.read(lambda c: is_singleton_job_ahead(c, self._store.now(c), lease))

    def pull_back(self, queue: str, lease: timedelta) -> timedelta:
        """Pull back the jobs of a queue that are due later than they can be. It makes short transactions.

        Return how far beyond its limit the farthest was due; zero if none was.
        """
        pulled = self._pull_back_after(None, queue, lease)
        excess = pulled.excess
        while pulled.next is not None:
            pulled = self._pull_back_after(pulled.next, queue, lease)
            excess = max(excess, pulled.excess)
        return excess

    def record_jump(self, jump: ClockJump) -> None:
        """Record a jump, in place of the last one."""
        query = update(clock_jump).values(at=jump.at, seconds=jump.seconds)
        self._store.write(lambda c: c.execute(query))

    def last_jump(self) -> ClockJump | None:
        """Return the last jump that was noticed."""
        return self._store.database.read(_last_jump)

    def _pull_back_after(self, after: Position | None, queue: str, lease: timedelta) -> PulledBack:
        def pull_back(connection: Connection) -> PulledBack:
            return pull_back_jobs(connection, self._store.now(connection), queue, lease=lease, after=after)

        return self._store.write(pull_back, "work", durable=False)


def _last_jump(connection: Connection) -> ClockJump | None:
    row = connection.execute(select(clock_jump.c.at, clock_jump.c.seconds)).one_or_none()
    return None if row is None or row.at is None else ClockJump(row.at, row.seconds)
