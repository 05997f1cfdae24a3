"""An event as our JSON: what `GET /events` answers, and what is pushed in the format `events`."""

from typing import Any

from app.domain.event import EVENT_VERSION, Contact, Event
from app.domain.timestamps import iso


def event_json(event: Event) -> dict[str, Any]:
    """The event in its published shape. `contact` has only what Meta told; `raw` is Meta's item exactly."""
    return {
        "version": EVENT_VERSION,
        "id": event.id,
        "type": event.type,
        "sequence": event.sequence,
        "occurredAt": iso(event.occurred_at),
        "receivedAt": iso(event.received_at),
        "receiptId": event.receipt_id,
        "wabaId": event.waba_id,
        "phoneNumberId": event.phone_number_id,
        "foreign": event.foreign,
        "contact": _contact(event.contact),
        "data": event.data,
        "raw": event.raw,
    }


def _contact(contact: Contact) -> dict[str, str]:
    told = {
        "waId": contact.wa_id,
        "userId": contact.user_id,
        "parentUserId": contact.parent_user_id,
        "username": contact.username,
        "profileName": contact.profile_name,
    }
    return {name: value for name, value in told.items() if value is not None}
