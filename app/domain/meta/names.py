"""All names of an event's customer: every one of them finds the event when the customer is erased."""

from typing import Any

from app.domain.event import NewEvent
from app.domain.meta import scalars

CHANGES = ("contact.number_changed", "contact.user_id_changed")

Names = set[str | None]


def names_of(event: NewEvent) -> set[str]:
    """Return the ids that an event gives to its customer: phone numbers, user ids and parent user ids.

    Meta's entry of the customer may spell the phone number in another way than the item does, and so may the thread
    of a history. An event about a changed number or user id names the customer by both. A username is no name: its
    owner may give it up, and then another person may take it.
    """
    contact, origin = event.contact, event.origin
    names: Names = {contact.wa_id, contact.user_id, contact.parent_user_id}
    for entry in origin.contacts:
        names |= _ids(entry, "wa_id", "user_id", "parent_user_id")
    if origin.ancestors:
        names |= _names_in_thread(event)
    if event.type in CHANGES:
        for version in ("previous", "current"):
            names |= _ids(event.data.get(version), "waId", "userId", "parentUserId")
    return {name for name in names if name is not None}


def _names_in_thread(event: NewEvent) -> Names:
    """Return the names in a thread of a history, and in its message; not the number of the business."""
    thread, raw = event.origin.ancestors[-1], event.raw if isinstance(event.raw, dict) else {}
    side = "to" if raw.get("to") is not None or _is_from_business(event, raw) else "from"
    return {
        *_ids(thread, "id", ""),
        *_ids(thread.get("context"), "wa_id", "user_id"),
        *_ids(raw, side, f"{side}_user_id", f"{side}_parent_user_id"),
    }


def _is_from_business(event: NewEvent, raw: dict[str, Any]) -> bool:
    metadata = event.origin.value.get("metadata")
    number = metadata.get("display_phone_number") if isinstance(metadata, dict) else None
    return _digits(number) == _digits(raw.get("from"))


def _digits(value: Any) -> str:
    return "".join(filter(str.isdigit, str(value)))


def _ids(value: Any, wa_id: str, user_id: str, parent_user_id: str = "") -> Names:
    if not isinstance(value, dict):
        return set()
    return {*scalars.customer_ids(value.get(wa_id), value.get(user_id)), scalars.user_id(value.get(parent_user_id))}
