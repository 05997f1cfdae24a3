"""Converts rows to events, and finds, counts and locks events.

The column `document` holds the parts of an event that fit no column of their own, as ASCII JSON. NUL and halves of
surrogate pairs, which a text column of PostgreSQL refuses, are escapes in it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, func, select, text

from app.domain.compact_json import compact_json
from app.domain.event import EVENT_ID, MARK_BYTES, Contact, Event, NewEvent, Origin, Position
from app.domain.trace import TraceContext
from app.store.engine.one_of import one_of
from app.store.tables.schema import events
from app.store.tables.types import chunks

PREFIX = "evt_"
PAGE_BYTES = 8 * 1024 * 1024
ALL_TYPES = "*"

_LOCK = select(events.c.id).where(one_of(events.c.id, "ids")).order_by(events.c.id).with_for_update()
_TYPES = (
    "WITH RECURSIVE known(type) AS (SELECT min(type) FROM events {where} UNION ALL"
    " SELECT (SELECT min(type) FROM events WHERE type > known.type {more}) FROM known WHERE known.type IS NOT NULL)"
    " SELECT type FROM known WHERE type IS NOT NULL"
)
_ALL_TYPES = text(_TYPES.format(where="", more=""))
_TYPES_OF_NUMBER = text(_TYPES.format(where="WHERE phone_number_id = :number", more="AND phone_number_id = :number"))
"""Find each distinct type by one index lookup. DISTINCT would read the whole index."""
_HIGHEST = {
    "sqlite": text("SELECT seq FROM sqlite_sequence WHERE name = 'events'"),
    "postgresql": text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_id_seq"),
}
_KEY_AND_HIGHEST = {
    dialect: select(
        select(events.c.event_id).where(events.c.id == bindparam("sequence")).scalar_subquery().label("key"),
        query.columns(highest=BigInteger).scalar_subquery().label("highest"),
    )
    for dialect, query in _HIGHEST.items()
}
"""Both values in one statement, because every page that continues from a cursor needs them."""


@dataclass(frozen=True)
class EventCounts:
    """The number of events. `total` is an upper bound: it includes deleted events between the first and the last."""

    total: int
    foreign: int


def key_of(event_id: str) -> bytes | None:
    """Return the 16 bytes in an event's public id, or None if it is not such an id."""
    return bytes.fromhex(event_id.removeprefix(PREFIX)) if EVENT_ID.fullmatch(event_id) else None


def id_of(key: bytes) -> str:
    """Return the public id of these 16 bytes."""
    return PREFIX + bytes(key).hex()


def document_of(event: NewEvent) -> bytes:
    """Return the document of an event: its contact, data, raw item and origin."""
    origin = {name: getattr(event.origin, name) for name in Origin.__dataclass_fields__}  # asdict would copy deeply
    document = {"contact": asdict(event.contact), "data": event.data, "raw": event.raw, "origin": origin}
    return compact_json(document).encode("ascii")


def position_of(sequence: int, key: bytes | None) -> Position:
    """Return the position behind the event with this sequence. `key`: None if there is no such event (any more)."""
    return Position(sequence, None if key is None else bytes(key)[:MARK_BYTES])


def item_of(document: bytes) -> Any:
    """Return the raw item in an event's document."""
    return json.loads(bytes(document))["raw"]


def event_of(row: Row[tuple[object, ...]]) -> Event:
    """Return the event that a row of the table holds."""
    document = json.loads(bytes(row.document))
    return Event(
        id=id_of(row.event_id),
        type=row.type,
        occurred_at=row.occurred_at,
        waba_id=row.waba_id,
        phone_number_id=row.phone_number_id,
        contact=Contact(**document["contact"]),
        data=document["data"],
        raw=document["raw"],
        origin=Origin(**document["origin"]),
        sequence=row.id,
        received_at=row.received_at,
        receipt_id=f"rcp_{row.receipt}" if row.receipt else None,
        foreign=row.is_foreign,
        trace=TraceContext.unpack(row.trace),
    )


def lock_events(connection: Connection, sequences: Iterable[int]) -> set[int]:
    """Lock these events until the transaction ends, in the order of their sequences; return those that exist.

    Until then no other transaction deletes them, or opens one of their deliveries.
    """
    pieces = chunks(sorted(set(sequences)))
    return {sequence for ids in pieces for sequence in connection.execute(_LOCK, {"ids": ids}).scalars()}


def get_event(connection: Connection, key: bytes) -> Event | None:
    """Return the event with this key."""
    row = connection.execute(select(events).where(events.c.event_id == key)).one_or_none()
    return None if row is None else event_of(row)


def latest_sequence(connection: Connection) -> int:
    """Return the highest sequence, 0 if there is no event."""
    return connection.execute(select(func.max(events.c.id))).scalar_one() or 0


def last_before(connection: Connection, since: datetime) -> int:
    """Return a sequence; all events received at `since` or later come after it. Without such events: the latest one.

    The lowest sequence decides, not the earliest time: webhooks that arrive at once may be stored in another order.
    """
    first = connection.execute(select(func.min(events.c.id)).where(events.c.received_at >= since)).scalar_one()
    return latest_sequence(connection) if first is None else first - 1


def known_types(connection: Connection, phone_number_id: str | None = None) -> list[str]:
    """Return the types of all stored events, or of those of one of our phone numbers."""
    if phone_number_id is None:
        return list(connection.execute(_ALL_TYPES).scalars())
    return list(connection.execute(_TYPES_OF_NUMBER, {"number": phone_number_id}).scalars())


def highest_sequence(connection: Connection) -> int:
    """Return the highest sequence that was ever given out, also to an event that is deleted; 0 if there was none."""
    return connection.execute(_HIGHEST[connection.dialect.name]).scalar_one_or_none() or 0


def confirmed(connection: Connection, position: Position) -> Position | None:
    """Return the position with the mark of its event; None if no reader of this database can have reached it.

    That is so if it lies beyond the last event, or if another event now has its sequence. If the event of the
    position is missing, for instance deleted, only the first is checked.
    """
    row = connection.execute(_KEY_AND_HIGHEST[connection.dialect.name], {"sequence": position.sequence}).one()
    stored = position_of(position.sequence, row.key)
    marks = {position.mark, stored.mark} - {None}
    if position.sequence > (row.highest or 0) or len(marks) > 1:
        return None
    return Position(position.sequence, next(iter(marks), None))


def latest_position(connection: Connection) -> Position:
    """Return the position of a reader that has read every event."""
    row = connection.execute(select(events.c.id, events.c.event_id).order_by(events.c.id.desc()).limit(1)).first()
    return Position(0) if row is None else position_of(row.id, row.event_id)


def count_events(connection: Connection) -> EventCounts:
    """Count events. First and last sequence take two queries: in a single one SQLite reads the whole index."""
    first, last = connection.execute(select(func.min(events.c.id))).scalar_one(), latest_sequence(connection)
    foreign = connection.execute(select(func.count()).select_from(events).where(text("is_foreign"))).scalar_one()
    return EventCounts(total=0 if first is None else last - first + 1, foreign=foreign)
