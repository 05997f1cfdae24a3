"""Consumers: named readers of events, each with the sequence up to which it has read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, text

from app.domain.event import Position
from app.store.repository import Repository
from app.store.tables.events import highest_sequence, latest_sequence, position_of
from app.store.tables.schema import consumers, events
from app.store.tables.types import UtcDateTime

MAX_CONSUMERS = 1000
MAX_AHEAD = 10

_ACK = text(
    "INSERT INTO consumers (name, cursor, updated_at) VALUES (:name, :cursor, :now)"
    " ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at"
).bindparams(bindparam("now", type_=UtcDateTime))


@dataclass(frozen=True)
class Consumer:
    """A reader. `lag`: an upper bound of the unread events; `oldest_unread_at`: when the first of them came."""

    name: str
    position: Position
    lag: int
    oldest_unread_at: datetime | None
    updated_at: datetime

    @property
    def id(self) -> str:
        """The name, after which a list of consumers continues."""
        return self.name


class Consumers(Repository):
    """Named readers of events."""

    def cursor(self, name: str) -> int:
        """Return the sequence up to which this consumer has read, 0 for an unknown one."""
        query = select(consumers.c.cursor).where(consumers.c.name == name)
        return self._store.database.read(lambda c: c.execute(query).scalar_one_or_none()) or 0

    def ack(self, name: str, cursor: int) -> bool:
        """Set the sequence up to which this consumer has read, also to an earlier one.

        Return False if it is a new consumer and there are `MAX_CONSUMERS` already.
        """
        return self._store.write(lambda c: _ack(c, name, cursor, self._store.now(c)))

    def get(self, name: str) -> Consumer | None:
        """Return the consumer with this name."""
        rows = self._store.database.read(lambda c: _consumers(c, consumers.c.name == name, limit=1))
        return rows[0] if rows else None

    def page(self, *, after: str | None, limit: int) -> list[Consumer]:
        """Return consumers by name, all of them behind the name `after`."""
        return self._store.database.read(lambda c: _consumers(c, consumers.c.name > (after or ""), limit=limit))

    def ahead(self) -> list[str]:
        """Return the names of those that have read beyond the last event, `MAX_AHEAD` at most."""
        return self._store.database.read(_names_ahead)

    def delete(self, name: str) -> bool:
        """Delete this consumer, and return whether there was one."""
        query = delete(consumers).where(consumers.c.name == name)
        return self._store.write(lambda c: c.execute(query).rowcount > 0)


def _ack(connection: Connection, name: str, cursor: int, now: datetime) -> bool:
    known = connection.execute(select(consumers.c.name).where(consumers.c.name == name)).first()
    if known is None and _count(connection) >= MAX_CONSUMERS:
        return False
    connection.execute(_ACK, {"name": name, "cursor": cursor, "now": now})
    return True


def _names_ahead(connection: Connection) -> list[str]:
    ahead = select(consumers.c.name).where(consumers.c.cursor > highest_sequence(connection))
    return list(connection.execute(ahead.order_by(consumers.c.name).limit(MAX_AHEAD)).scalars())


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(consumers)).scalar_one()


def _consumers(connection: Connection, condition: ColumnElement[bool], *, limit: int) -> list[Consumer]:
    key = select(events.c.event_id).where(events.c.id == consumers.c.cursor).scalar_subquery().label("key")
    query = select(consumers, key).where(condition).order_by(consumers.c.name).limit(limit)
    first = connection.execute(select(func.min(events.c.id))).scalar_one() or 0
    last = latest_sequence(connection)
    return [_consumer(connection, row, first, last) for row in connection.execute(query).all()]


def _consumer(connection: Connection, row: Row[tuple[object, ...]], first: int, last: int) -> Consumer:
    unread = select(events.c.received_at).where(events.c.id > row.cursor).order_by(events.c.id).limit(1)
    return Consumer(
        name=row.name,
        position=position_of(row.cursor, row.key),
        lag=max(0, last - max(row.cursor, first - 1)),
        oldest_unread_at=connection.execute(unread).scalar_one_or_none(),
        updated_at=row.updated_at,
    )
