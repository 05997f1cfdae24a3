"""The common base of the store's repositories (`store.events`, `store.consumers`, …)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from app.domain.database_identity import Identity
from app.store.engine.database import Database
from app.store.engine.write import Channel, Work
from app.store.last_commit import LastCommit

T = TypeVar("T")


class StoreContext(Protocol):
    """The store as its repositories see it."""

    last_commit: LastCommit

    @property
    def database(self) -> Database:
        """Return the open database. Raise `StoreUnavailable` while the store is closed."""
        ...

    def write(self, work: Work[T], *channels: Channel, durable: bool = True, found: Sequence[Channel] = ()) -> T:
        """Commit the work in one transaction, wake the channels' listeners, and return its result."""
        ...

    @property
    def channels_of_changes(self) -> tuple[Channel, ...]:
        """The channels to notify when a message may have changed."""
        ...

    def now(self, connection: Connection) -> datetime:
        """Return the time, by the clock that all processes on this database share."""
        ...

    def identity(self) -> Identity:
        """Return the identity of the database."""
        ...

    def refuse_on_full_disk(self) -> None:
        """Raise `StoreUnavailable` while too little disk space is left to store anything safely."""
        ...


class Repository:
    """Base of the store's repositories. Each method is one transaction, or says that it is not."""

    def __init__(self, store: StoreContext) -> None:
        self._store = store
