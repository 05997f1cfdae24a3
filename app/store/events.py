"""Events: what happened, in the order of commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.domain.event import Event, Position
from app.domain.event_filter import EVERY_EVENT, EventFilter
from app.domain.job import Job
from app.domain.split import SplitCount, SplitReceipt
from app.store.engine.errors import StoreRefused, refusing_internal_errors
from app.store.repository import Repository
from app.store.tables.event_list import Range, page_of_events
from app.store.tables.events import (
    EventCounts,
    confirmed,
    count_events,
    get_event,
    key_of,
    last_before,
    latest_position,
    latest_sequence,
)
from app.store.tables.types import MAX_ROW_ID
from app.store.transactions.split_receipts import add_events, hold_claim


class Events(Repository):
    """The events, in the order of commits."""

    def add(
        self, job: Job, split: Sequence[SplitReceipt], lease: timedelta, account: str | None = None
    ) -> list[SplitCount]:
        """Add the new events of these receipts, as the owner of the split job, and extend its lease.

        `account`: that of every number of the profile, if it lists one only. Raise `ClaimLost` if another worker has
        claimed that job meanwhile, and `StoreRefused` if one of the events cannot be stored, for whatever reason.
        """

        def add(connection: Connection) -> list[SplitCount]:
            now = self._store.now(connection)
            hold_claim(connection, job, now + lease)
            return add_events(connection, now, split, database_id, account)

        database_id = self._store.identity().id
        with refusing_internal_errors():
            return self._store.write(add, "events", "work")

    def accepts(self, job: Job, split: SplitReceipt, lease: timedelta) -> bool:
        """Return whether the database accepts the events of a receipt: add them, and roll that back.

        It extends the lease, and raises `ClaimLost`, as `add` does.
        """

        def add_and_roll_back(connection: Connection) -> None:
            now = self._store.now(connection)
            hold_claim(connection, job, now + lease)
            with connection.begin_nested() as savepoint:
                add_events(connection, now, [split], database_id, None)
                savepoint.rollback()

        database_id = self._store.identity().id
        try:
            with refusing_internal_errors():
                self._store.write(add_and_roll_back, durable=False)
        except StoreRefused:
            return False
        return True

    def get(self, event_id: str) -> Event | None:
        """Return the event with this id."""
        key = key_of(event_id)
        return None if key is None else self._store.database.read(lambda c: get_event(c, key))

    def after(self, sequence: int, chosen: EventFilter = EVERY_EVENT, *, limit: int) -> list[Event]:
        """Return the next events that the filter chooses, oldest first; fewer if they are large."""
        return self._page(chosen, Range(first=sequence + 1), limit)

    def before(self, sequence: int | None, chosen: EventFilter = EVERY_EVENT, *, limit: int) -> list[Event]:
        """Return the newest events that the filter chooses, newest first; fewer if they are large.

        With a sequence, only events before it.
        """
        last = MAX_ROW_ID if sequence is None else sequence - 1
        return self._page(chosen, Range(last=last, newest_first=True), limit)

    def latest(self) -> int:
        """Return the highest sequence, 0 if there is no event."""
        return self._store.database.read(latest_sequence)

    def latest_position(self) -> Position:
        """Return the position of a reader that has read every event."""
        return self._store.database.read(latest_position)

    def last_before(self, since: datetime) -> int:
        """Return the sequence after which a reader misses no event that was received at this time or later."""
        return self._store.database.read(lambda c: last_before(c, since))

    def confirmed(self, position: Position) -> Position | None:
        """Return the position with the mark of its event; None if no reader of this database has been there."""
        return self._store.database.read(lambda c: confirmed(c, position))

    def counts(self) -> EventCounts:
        """Count the events."""
        return self._store.database.read(count_events)

    def _page(self, chosen: EventFilter, within: Range, limit: int) -> list[Event]:
        return self._store.database.read(lambda c: page_of_events(c, chosen, within, limit))
