"""An event as a row and back. The document holds as JSON what is too rich for columns.

ASCII JSON keeps what no text column of PostgreSQL would: NUL and halves of surrogate pairs.
"""

import json
from dataclasses import asdict

from sqlalchemy import Row

from app.domain.event import EVENT_ID, Contact, Event, NewEvent, Origin

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
