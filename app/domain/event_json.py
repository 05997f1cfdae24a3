"""An event as JSON: the shape that `GET /events` returns and that `format: events` pushes."""

from typing import Any

from app.domain.event import EVENT_VERSION, Contact, Event
from app.domain.timestamps import iso


def event_json(event: Event) -> dict[str, Any]:
    """Return the event in its published shape. `contact` has only the fields that Meta sent; `raw` is Meta's item."""
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
    fields = {
        "waId": contact.wa_id,
        "userId": contact.user_id,
        "parentUserId": contact.parent_user_id,
        "username": contact.username,
        "profileName": contact.profile_name,
    }
    return {name: value for name, value in fields.items() if value is not None}
