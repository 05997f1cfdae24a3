"""An event as a row and back. The document holds as JSON what is too rich for columns.

ASCII JSON keeps what no text column of PostgreSQL would: NUL and halves of surrogate pairs.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, takewhile

from sqlalchemy import Connection, Row, Select, bindparam, func, select, text

from app.domain.event import EVENT_ID, Contact, Event, NewEvent, Origin, type_matches
from app.store.tables.schema import events

PREFIX = "evt_"


def key_of(event_id: str) -> bytes | None:
    """The 16 bytes that a public id stands for; None if it is not one of ours."""
    return bytes.fromhex(event_id.removeprefix(PREFIX)) if EVENT_ID.fullmatch(event_id) else None


def id_of(key: bytes) -> str:
    """The public id of these 16 bytes."""
    return PREFIX + bytes(key).hex()


def document_of(event: NewEvent) -> bytes:
    """Contact, data, raw item and origin."""
    origin = {name: getattr(event.origin, name) for name in Origin.__dataclass_fields__}  # asdict would copy it all
    document = {"contact": asdict(event.contact), "data": event.data, "raw": event.raw, "origin": origin}
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def event_of(row: Row[tuple[object, ...]]) -> Event:
    """The event that a row of the table holds."""
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
        receipt_id=f"rcp_{row.receipt}",
        foreign=row.is_foreign,
    )


PAGE_BYTES = 8 * 1024 * 1024
EVERYTHING = "*"
_TYPES = text(
    "WITH RECURSIVE known(type) AS (SELECT min(type) FROM events UNION ALL"
    " SELECT (SELECT min(type) FROM events WHERE type > known.type) FROM known WHERE known.type IS NOT NULL)"
    " SELECT type FROM known WHERE type IS NOT NULL"
)
"""The types there are, by one look into the index for each: DISTINCT would read all of it."""


@dataclass(frozen=True)
class EventCounts:
    """How many events there are. `total` is an upper bound: sequences given away, not rows counted."""

    total: int
    foreign: int


def get_event(connection: Connection, key: bytes) -> Event | None:
    """The event with this key."""
    row = connection.execute(select(events).where(events.c.event_id == key)).one_or_none()
    return None if row is None else event_of(row)


def next_events(connection: Connection, sequence: int, types: Sequence[str], limit: int) -> list[Event]:
    """The events after a sequence."""
    found = _next_ids(connection, sequence, types, limit)
    query = select(events).where(events.c.id.in_(found)).order_by(events.c.id)
    return [event_of(row) for row in connection.execute(query)] if found else []


def latest_sequence(connection: Connection) -> int:
    """The highest sequence, 0 if there is none."""
    return connection.execute(select(func.max(events.c.id))).scalar_one() or 0


def count_events(connection: Connection) -> EventCounts:
    """By the ends of the sequence, one by one: SQLite would read a whole index for both; and by a partial index."""
    first, last = connection.execute(select(func.min(events.c.id))).scalar_one(), latest_sequence(connection)
    foreign = connection.execute(select(func.count()).select_from(events).where(text("is_foreign"))).scalar_one()
    return EventCounts(total=0 if first is None else last - first + 1, foreign=foreign)


def _next_ids(connection: Connection, sequence: int, types: Sequence[str], limit: int) -> list[int]:
    """The ids of the next page: as many as fit into its bytes, at least one."""
    found = sorted(_candidates(connection, sequence, types, limit))[:limit]
    sizes = accumulate(size for _, size in found)
    fitting = sum(1 for _ in takewhile(lambda total: total <= PAGE_BYTES, sizes))
    return [row_id for row_id, _ in found[: max(1, fitting)]]


def _candidates(connection: Connection, sequence: int, types: Sequence[str], limit: int) -> list[tuple[int, int]]:
    """Ids and sizes. Of some types only: the next ones of each, by the index.

    PostgreSQL lets each statement see what was committed until it began: without a common end the second type
    could bring an event in front of which one of the first type is missing.
    """
    query = _ids_after(sequence, limit)
    if not types or EVERYTHING in types:
        return [(row.id, row.size) for row in connection.execute(query)]
    query = query.where(events.c.type == bindparam("one_type"), events.c.id <= latest_sequence(connection))
    wanted = [known for known in connection.execute(_TYPES).scalars() if type_matches(known, types)]
    return [(row.id, row.size) for one in wanted for row in connection.execute(query, {"one_type": one})]


def _ids_after(sequence: int, limit: int) -> Select[tuple[int, int]]:
    size = func.length(events.c.document).label("size")
    return select(events.c.id, size).where(events.c.id > sequence).order_by(events.c.id).limit(limit)
