"""Events as rows and back: one of them, their counts, and the locks on them.

The document holds as ASCII JSON what is too rich for columns. Escapes keep what a text column of PostgreSQL refuses:
NUL and halves of surrogate pairs.
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
"""The distinct types, by one index lookup for each. DISTINCT would read the whole index."""
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
"""One statement for both: every page that continues after a cursor asks for them."""


@dataclass(frozen=True)
class EventCounts:
    """How many events there are. `total` is an upper bound: the number of sequences given out, not of rows."""

    total: int
    foreign: int


def key_of(event_id: str) -> bytes | None:
    """Return the 16 bytes in an event's public id, or None if it is not such an id."""
    return bytes.fromhex(event_id.removeprefix(PREFIX)) if EVENT_ID.fullmatch(event_id) else None


def id_of(key: bytes) -> str:
    """Return the public id of these 16 bytes."""
    return PREFIX + bytes(key).hex()


def document_of(event: NewEvent) -> bytes:
    """Return contact, data, raw item and origin as JSON."""
    origin = {name: getattr(event.origin, name) for name in Origin.__dataclass_fields__}  # asdict would copy deeply
    document = {"contact": asdict(event.contact), "data": event.data, "raw": event.raw, "origin": origin}
    return compact_json(document).encode("ascii")


def position_of(sequence: int, key: bytes | None) -> Position:
    """Return the position behind the event with this sequence and this key; None: it is deleted, or there is none."""
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
    """Return the sequence just before those of all events received at this time or later; the latest without one.

    Not that of the earliest of them: events of webhooks that came at once may be in another order.
    """
    first = connection.execute(select(func.min(events.c.id)).where(events.c.received_at >= since)).scalar_one()
    return latest_sequence(connection) if first is None else first - 1


def known_types(connection: Connection, phone_number_id: str | None = None) -> list[str]:
    """Return the types of the events that are stored: of all, or of those of one of our numbers."""
    if phone_number_id is None:
        return list(connection.execute(_ALL_TYPES).scalars())
    return list(connection.execute(_TYPES_OF_NUMBER, {"number": phone_number_id}).scalars())


def highest_sequence(connection: Connection) -> int:
    """Return the highest sequence that was ever given out, also to an event that is deleted; 0 if there was none."""
    return connection.execute(_HIGHEST[connection.dialect.name]).scalar_one_or_none() or 0


def confirmed(connection: Connection, position: Position) -> Position | None:
    """Return the position with the mark of its event; None if no reader of this database has ever stood there.

    It then lies beyond the last event, or its sequence is another event's. Without its event, which may have been
    deleted, only the first can be checked.
    """
    row = connection.execute(_KEY_AND_HIGHEST[connection.dialect.name], {"sequence": position.sequence}).one()
    stored = position_of(position.sequence, row.key)
    marks = {position.mark, stored.mark} - {None}
    if position.sequence > (row.highest or 0) or len(marks) > 1:
        return None
    return Position(position.sequence, next(iter(marks), None))


def latest_position(connection: Connection) -> Position:
    """Return where a reader stands that has read every event."""
    row = connection.execute(select(events.c.id, events.c.event_id).order_by(events.c.id.desc()).limit(1)).first()
    return Position(0) if row is None else position_of(row.id, row.event_id)


def count_events(connection: Connection) -> EventCounts:
    """Count by the first and the last sequence, in two queries: SQLite reads a whole index for both at once."""
    first, last = connection.execute(select(func.min(events.c.id))).scalar_one(), latest_sequence(connection)
    foreign = connection.execute(select(func.count()).select_from(events).where(text("is_foreign"))).scalar_one()
    return EventCounts(total=0 if first is None else last - first + 1, foreign=foreign)
