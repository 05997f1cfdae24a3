"""Events: what happened, in the order it came in."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from app.domain.event import Event
from app.domain.job import Job
from app.domain.split import SplitCount, SplitReceipt
from app.store.repository import Repository
from app.store.tables.events import EventCounts, count_events, get_event, key_of, latest_sequence, next_events
from app.store.transactions.split_receipts import add_events, hold_claim


class Events(Repository):
    """What happened, in the order it came in."""

    def add(self, job: Job, split: Sequence[SplitReceipt], lease: timedelta) -> list[SplitCount]:
        """Keep what is new in these receipts, by the owner of the splitting job, whose lease begins anew.

        Raises `ClaimLost` when somebody else has claimed that job since.
        """

        def add(connection: Connection) -> list[SplitCount]:
            now = self._store.now(connection)
            hold_claim(connection, job, now + lease)
            return add_events(connection, now, split)

        return self._store.write(add, "events", "work")

    def get(self, event_id: str) -> Event | None:
        """The event with this id, if there is one."""
        key = key_of(event_id)
        return None if key is None else self._store.database.read(lambda c: get_event(c, key))

    def after(self, sequence: int, *, types: Sequence[str] = (), limit: int) -> list[Event]:
        """The next events, oldest first, of types that one of the globs stands for; fewer where they are large."""
        return self._store.database.read(lambda c: next_events(c, sequence, types, limit))

    def latest(self) -> int:
        """The highest sequence; 0 if there is no event."""
        return self._store.database.read(latest_sequence)

    def counts(self) -> EventCounts:
        """How many events there are."""
        return self._store.database.read(count_events)
