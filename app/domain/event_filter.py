"""Which events a reader asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class EventFilter:
    """Which events: of types by globs (empty: all), of a contact by any of its names, of one of our numbers, of a
    receipt, received in a range of time (`until` excluded). What is None does not matter."""

    types: Sequence[str] = ()
    contact: str | None = None
    phone_number_id: str | None = None
    receipt_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_of_few(self) -> bool:
        """Whether only a contact's events, or those of a receipt, are asked for: there are few of these."""
        return self.contact is not None or self.receipt_id is not None

    @property
    def has_times(self) -> bool:
        """Whether only events of some time are asked for."""
        return self.since is not None or self.until is not None


EVERY_EVENT = EventFilter()
