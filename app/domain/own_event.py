"""Events that the gateway makes itself, of a message, an alert or a test. No webhook of Meta's holds them."""

from datetime import datetime
from typing import Any

from app.domain.event import Contact, NewEvent, Origin
from app.domain.trace import TraceContext

UNKNOWN_CONTACT = Contact()


def own_event(
    event_id: str,
    type_: str,
    at: datetime,
    data: dict[str, Any],
    origin: Origin,
    *,
    phone_number_id: str | None = None,
    contact: Contact = UNKNOWN_CONTACT,
    raw: Any = None,
    trace: TraceContext | None = None,
) -> NewEvent:
    """Return an event that belongs to no account of Meta's. `raw`: what takes the place of Meta's item, if any."""
    return NewEvent(
        id=event_id,
        type=type_,
        occurred_at=at,
        waba_id=None,
        phone_number_id=phone_number_id,
        contact=contact,
        data=data,
        raw=raw,
        origin=origin,
        trace=trace,
    )


def origin_in_wats(path: str) -> Origin:
    """Return the origin of an event that no envelope of Meta's held. `path` names what it is about."""
    return Origin("wats", {}, None, {}, [], path)
