"""The clock that all processes on a database share: its jumps, the jobs that wait because of them, and its trust.

On PostgreSQL it is the server's, on SQLite that of the machine.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from app.domain.clock import ClockJump
from app.domain.clock_trust import ClockTrust
from app.store.repository import Repository
from app.store.tables.clock import read_trust
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

    def see(self, doubt: timedelta | None) -> ClockTrust:
        """Record that a worker has looked at the clock, and doubts it for this long; see `ClockTrust.seen`."""

        def see(connection: Connection) -> ClockTrust:
            trust = read_trust(connection, for_update=True).seen(self._store.now(connection), doubt)
            connection.execute(update(clock_jump).values(seen_at=trust.seen_at, doubted_until=trust.doubted_until))
            return trust

        return self._store.write(see, durable=False)

    def is_trusted(self) -> bool:
        """Return whether what is old by this clock may be deleted."""
        return self._store.database.read(lambda c: read_trust(c).holds(self._store.now(c)))

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
