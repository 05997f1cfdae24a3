"""Reads the status of a message of the business from a webhook, with its time by Meta's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.event import Contact, NewEvent
from app.domain.message import MessageStatus
from app.domain.meta import scalars
from app.domain.meta.event_types import STATUS_PREFIX, STATUSES_OF_MESSAGE
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import ErrorClass, error_json, graph_error, meta_part
from app.domain.outbound_event import PREFIX
from app.domain.tracker import FIELD, Tracker, read_tracker

MAX_WAMID_LENGTH = 1024


@dataclass(frozen=True)
class StatusUpdate:
    """One status. `error`: the first of Meta's `errors`, with our class and hint.

    `has_tracker`: it carries ours, or that of another application. An empty one is none. `contact`: the customer, in
    a group the member that it is about (`is_group`).
    """

    wamid: str
    phone_number_id: str
    status: MessageStatus
    at: datetime
    contact: Contact
    tracker: Tracker | None = None
    has_tracker: bool = False
    error: dict[str, Any] | None = None
    pricing: dict[str, Any] | None = None
    is_group: bool = False


def status_update(event: NewEvent) -> StatusUpdate | None:
    """Return the status in an event, of a message of ours or of another application; None if there is none."""
    word = event.type.removeprefix(STATUS_PREFIX)
    raw = event.raw
    if not event.type.startswith(STATUS_PREFIX) or word not in STATUSES_OF_MESSAGE or event.phone_number_id is None:
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
        tracker=tracker_in(event),
        has_tracker=raw.get(FIELD) not in (None, ""),
        error=_error(raw.get("errors")),
        pricing=raw["pricing"] if isinstance(raw.get("pricing"), dict) else None,
        is_group=raw.get("recipient_type") == "group",
    )


def tracker_in(event: NewEvent) -> Tracker | None:
    """Return our tracker in a status; None if it has none, or that of another application."""
    return read_tracker(event.raw.get(FIELD)) if event.type.startswith(STATUS_PREFIX) else None


def message_in(event: NewEvent) -> str | None:
    """Return our id of the message that an event is about, if it has one."""
    if event.type.startswith(PREFIX):
        return str(event.data["messageId"])
    tracker = tracker_in(event)
    return None if tracker is None else f"msg_{tracker.message.hex()}"


def with_tracker(event: NewEvent, known: Mapping[bytes, str | None]) -> NewEvent:
    """Return the event with the client's own tracker in its data, in the place of ours. `known`: by message."""
    tracker = tracker_in(event)
    if tracker is None or tracker.message not in known:
        return event
    others = {key: value for key, value in event.data.items() if key != "tracker"}
    own = known[tracker.message]
    return replace(event, data=others if own is None else {**others, "tracker": own})


def _error(errors: Any) -> dict[str, Any] | None:
    """Return the first error as the API shows it."""
    first = next((error for error in errors if isinstance(error, dict)), None) if isinstance(errors, list) else None
    error = graph_error(first)
    if first is None or error is None:
        return None if first is None else {**meta_part(first), "class": ErrorClass.OTHER.value}
    return error_json(error, rule_in_status(error))
