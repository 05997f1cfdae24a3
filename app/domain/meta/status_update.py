"""What a webhook says of a message of the business: its status, by Meta's clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.event import Contact, NewEvent
from app.domain.message import MessageStatus
from app.domain.meta import scalars
from app.domain.meta.event_types import STATUSES_OF_MESSAGE
from app.domain.tracker import FIELD, Tracker, read_tracker

PREFIX = "message.status."
MAX_WAMID_LENGTH = 1024


@dataclass(frozen=True)
class StatusUpdate:
    """One status. `error`: the first of Meta's `errors`. `has_tracker`: ours, or that of another application."""

    wamid: str
    phone_number_id: str
    status: MessageStatus
    at: datetime
    contact: Contact
    tracker: Tracker | None = None
    has_tracker: bool = False
    error: dict[str, Any] | None = None
    pricing: dict[str, Any] | None = None


def status_update(event: NewEvent) -> StatusUpdate | None:
    """Return what an event says of a message of ours, or of another application; None if it is about none."""
    word = event.type.removeprefix(PREFIX)
    raw = event.raw
    if not event.type.startswith(PREFIX) or word not in STATUSES_OF_MESSAGE or event.phone_number_id is None:
        return None
    wamid = scalars.visible(raw.get("id"), MAX_WAMID_LENGTH)
    if wamid is None:
        return None
    return StatusUpdate(
        wamid=wamid,
        phone_number_id=event.phone_number_id,
        status=MessageStatus(word),
        at=event.occurred_at,
        contact=event.contact,
        tracker=read_tracker(raw.get(FIELD)),
        has_tracker=raw.get(FIELD) is not None,
        error=_first_object(raw.get("errors")),
        pricing=raw["pricing"] if isinstance(raw.get("pricing"), dict) else None,
    )


def _first_object(values: Any) -> dict[str, Any] | None:
    return next((value for value in values if isinstance(value, dict)), None) if isinstance(values, list) else None
