"""What each of the store's fronts (`store.events`, `store.consumers`, …) stands on."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from app.store.engine.database import Database
from app.store.notify.notifier import Channel
from app.store.readiness import LastCommit

T = TypeVar("T")


class StoreContext(Protocol):
    """The store as its fronts see it."""

    last_commit: LastCommit

    @property
    def database(self) -> Database:
        """The open database."""
        ...

    def write_and_notify(self, work: Callable[[Connection], T], *channels: Channel) -> T:
        """The work's result, once it is durable; and whoever listens to these channels is woken."""
        ...

    def now(self, connection: Connection) -> datetime:
        """Now, by the clock that all who work on this database share."""
        ...

    def refuse_on_full_disk(self) -> None:
        """Raise `StoreUnavailable` while too little room is left to store anything safely."""
        ...


class Repository:
    """Some of what rooms may ask of the store. Each question is one transaction, or says that it is not."""

    def __init__(self, store: StoreContext) -> None:
        self._store = store
