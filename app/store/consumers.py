"""Consumers: named readers of events, each with the sequence up to which it has read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, text

from app.store.repository import Repository
from app.store.tables.events import latest_sequence
from app.store.tables.schema import consumers, events
from app.store.tables.types import UtcDateTime

MAX_CONSUMERS = 1000

_ACK = text(
    "INSERT INTO consumers (name, cursor, updated_at) VALUES (:name, :cursor, :at)"
    " ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at"
).bindparams(bindparam("at", type_=UtcDateTime))


@dataclass(frozen=True)
class Consumer:
    """A reader. `lag`: at most so many events wait for it; `oldest_unread_at`: when the first of them came in."""

    name: str
    cursor: int
    lag: int
    oldest_unread_at: datetime | None
    updated_at: datetime

    @property
    def id(self) -> str:
        """What a list of consumers is continued after."""
        return self.name


class Consumers(Repository):
    """Who reads, and how far."""

    def cursor(self, name: str) -> int:
        """The sequence up to which this one has read; 0 for one that nobody knows."""
        query = select(consumers.c.cursor).where(consumers.c.name == name)
        return self._store.database.read(lambda c: c.execute(query).scalar_one_or_none()) or 0

    def ack(self, name: str, cursor: int) -> bool:
        """It has read up to here, or wants to read again from here. False: there are too many consumers already."""
        return self._store.write(lambda c: _ack(c, name, cursor, self._store.now(c)))

    def get(self, name: str) -> Consumer | None:
        """The one with this name, if there is one."""
        found = self._store.database.read(lambda c: _consumers(c, select(consumers).where(consumers.c.name == name)))
        return found[0] if found else None

    def page(self, *, after: str | None, limit: int) -> list[Consumer]:
        """Consumers by name; those behind the name `after`."""
        query = select(consumers).where(consumers.c.name > (after or "")).order_by(consumers.c.name).limit(limit)
        return self._store.database.read(lambda c: _consumers(c, query))

    def forget(self, name: str) -> bool:
        """Forget how far this one has read; False if nobody knows it."""
        query = delete(consumers).where(consumers.c.name == name)
        return self._store.write(lambda c: c.execute(query).rowcount > 0)


def _ack(connection: Connection, name: str, cursor: int, at: datetime) -> bool:
    known = connection.execute(select(consumers.c.name).where(consumers.c.name == name)).first()
    if known is None and _count(connection) >= MAX_CONSUMERS:
        return False
    connection.execute(_ACK, {"name": name, "cursor": cursor, "at": at})
    return True


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(consumers)).scalar_one()


def _consumers(connection: Connection, query: Select[tuple[object, ...]]) -> list[Consumer]:
    first = connection.execute(select(func.min(events.c.id))).scalar_one() or 0
    last = latest_sequence(connection)
    return [_consumer(connection, row, first, last) for row in connection.execute(query).all()]


def _consumer(connection: Connection, row: Row[tuple[object, ...]], first: int, last: int) -> Consumer:
    unread = select(events.c.received_at).where(events.c.id > row.cursor).order_by(events.c.id).limit(1)
    return Consumer(
        name=row.name,
        cursor=row.cursor,
        lag=max(0, last - max(row.cursor, first - 1)),
        oldest_unread_at=connection.execute(unread).scalar_one_or_none(),
        updated_at=row.updated_at,
    )
