"""What each of the store's fronts (`store.events`, `store.consumers`, …) stands on."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from app.store.bell import Channel
from app.store.database import Database

T = TypeVar("T")


class Holder(Protocol):
    """The store as its fronts see it."""

    @property
    def database(self) -> Database:
        """The open database."""
        ...

    def write_and_ring(self, work: Callable[[Connection], T], *channels: Channel) -> T:
        """The work's result, once it is durable; and whoever listens to these channels is woken."""
        ...


class Front:
    """Some of what rooms may ask of the store. Each question is one transaction, or says that it is not."""

    def __init__(self, store: Holder) -> None:
        self._store = store
