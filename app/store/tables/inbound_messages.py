"""Messages of customers. They are events, and are not stored a second time: these queries find them by its indexes.

Without a contact the newest of each type are read; with one, the newest of each of the contact's names.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, func, select

from app.domain.event import Event
from app.domain.meta.event_id import message_event_ids
from app.domain.meta.event_types import is_inbound, kind_of_message
from app.store.tables.events import event_of, key_of, known_types
from app.store.tables.schema import event_names, events
from app.store.tables.types import MAX_ROW_ID, chunks


@dataclass(frozen=True)
class InboundFilter:
    """Which messages to list: of a contact with these names, to a number; with sequences below `before`."""

    names: Sequence[str] | None = None
    phone_number_id: str | None = None
    before: int = MAX_ROW_ID
    limit: int = 50


@dataclass(frozen=True)
class InboundRow:
    """A message that is not loaded yet. `size`: the bytes of its document."""

    sequence: int
    received_at: datetime
    size: int


def newest_inbound(connection: Connection, chosen: InboundFilter) -> list[InboundRow]:
    """Return the newest messages that the filter chooses. Those of numbers that are not ours are left out."""
    types = [known for known in known_types(connection) if is_inbound(known)]
    found = {
        row.id: InboundRow(row.id, row.received_at, row.size)
        for query in _queries(connection, types, chosen)
        for row in connection.execute(query)
    }
    return [found[sequence] for sequence in sorted(found, reverse=True)[: chosen.limit]]


def load_inbound(connection: Connection, rows: Iterable[InboundRow]) -> dict[int, Event]:
    """Return these messages by their sequences."""
    sequences = [row.sequence for row in rows]
    return {
        row.id: event_of(row)
        for ids in chunks(sequences)
        for row in connection.execute(select(events).where(events.c.id.in_(ids)))
    }


def inbound_by_wamid(connection: Connection, wamid: str, phone_number_ids: Sequence[str]) -> Event | None:
    """Return the message with this id of Meta's that one of these numbers has got."""
    kinds = {kind_of_message(known) for known in known_types(connection) if is_inbound(known)}
    ids = message_event_ids(wamid, phone_number_ids, kinds)
    keys = [key_of(event_id) for event_id in sorted(ids)]
    rows = [row for chunk in chunks(keys) for row in connection.execute(_by_key(chunk))]
    return event_of(rows[0]) if rows else None


def _by_key(keys: Sequence[bytes | None]) -> Select[tuple[object, ...]]:
    return select(events).where(events.c.event_id.in_(keys))


def _queries(
    connection: Connection, types: Sequence[str], chosen: InboundFilter
) -> Iterator[Select[tuple[int, datetime, int]]]:
    size = func.length(events.c.document).label("size")
    query = select(events.c.id, events.c.received_at, size).where(events.c.id < chosen.before, ~events.c.is_foreign)
    query = query.limit(chosen.limit)
    if chosen.phone_number_id is not None:
        query = query.where(events.c.phone_number_id == chosen.phone_number_id)
    if chosen.names is None:
        for of_type in types:
            yield query.where(events.c.type == of_type).order_by(events.c.id.desc())
        return
    of_types = events.c.type.concat("").in_(types)  # an expression: the index of types must not be used
    for name in chosen.names:
        for has_name in _conditions(name):
            yield query.where(has_name, of_types).order_by(_order(connection))


def _conditions(name: str) -> tuple[ColumnElement[bool], ...]:
    """Return conditions for the events of this name. Each uses an index; an event may meet several."""
    named = select(event_names.c.event).where(event_names.c.name == name)
    return events.c.wa_id == name, events.c.user_id == name, events.c.id.in_(named)


def _order(connection: Connection) -> ColumnElement[int]:
    """Return the order of the newest first.

    On PostgreSQL it is an expression, so that the planner takes the index of the name, and never all newer events of
    others. On SQLite the index of the name has this order.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    return (events.c.id if is_sqlite else events.c.id + 0).desc()
