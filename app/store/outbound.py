"""Changes of messages that are to become events, for destinations and readers that ask for them."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import Connection

from app.domain.job import Job
from app.domain.outbound_event import MessageChange
from app.domain.split import SplitEvent
from app.store.repository import Repository
from app.store.tables.message_changes import has_pending_changes, pending_changes, unreadable_changes
from app.store.tables.sending import read_accounts
from app.store.transactions.publish_changes import publish_changes
from app.store.transactions.split_receipts import hold_claim


class OutboundChanges(Repository):
    """The changes of messages that are not events yet."""

    def has_pending(self) -> bool:
        """Return whether a change is to become an event."""
        return self._store.database.read(has_pending_changes)

    def unreadable(self) -> dict[str, int]:
        """Return how many changes wait for newer code, which alone knows their status; by status."""
        return self._store.database.read(unreadable_changes)

    def pending(self, limit: int) -> dict[int, MessageChange]:
        """Return the next changes, in their order, by row."""
        return self._store.database.read(lambda c: pending_changes(c, limit))

    def accounts(self, numbers: Collection[str]) -> dict[str, str]:
        """Return the accounts of those of these numbers whose account a webhook has named."""
        return self._store.database.read(lambda c: read_accounts(c, sorted(numbers)))

    def publish(self, job: Job, published: Mapping[int, SplitEvent | None], lease: timedelta) -> int:
        """Add the events of these changes, as the owner of the split job; return how many there were.

        A change without an event is forgotten.
        Raise `ClaimLost` if another worker has claimed that job meanwhile.
        """

        def publish(connection: Connection) -> int:
            now = self._store.now(connection)
            hold_claim(connection, job, now + lease)
            return publish_changes(connection, now, published)

        return self._store.write(publish, "events", "work")
