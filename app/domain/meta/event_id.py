"""Compute an event's id: a digest of a key that is the same however often Meta sends the same update.

What each key could swallow or double: docs/decisions/0007-an-events-id.md.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from app.domain.event import Contact, event_id_of
from app.domain.meta import event_types, scalars
from app.domain.meta.contact import contact_in_item
from app.domain.meta.context import canonical
from app.domain.meta.items import Item

ONCE_PER_CALL = ("connect", "terminate")
"""Events that happen once in a call. Its other events may repeat."""


def event_id(item: Item, contact: Contact, occurred_at: datetime | None, receipt_sha256: bytes) -> str:
    """Return the event's id. `occurred_at`: the time in the item or else in its entry; None where both have none."""
    return _id_of(_key_by_id(item) or _key_by_content(item, contact, occurred_at, receipt_sha256))


def message_event_ids(wamid: str, phone_number_ids: Iterable[str], kinds: Collection[str]) -> set[str]:
    """Return every id that the event of a customer's message may have. `kinds`: Meta's types of messages."""
    return {_id_of(["message", "messages", number, wamid, kind]) for number in phone_number_ids for kind in kinds}


def _id_of(key: list[Any]) -> str:
    return event_id_of(canonical(key))


def _key_by_id(item: Item) -> list[Any] | None:
    """Return the key of an item that has an id of Meta's: a message, a status or a call."""
    raw, scope = item.raw, item.scope
    meta_id = scalars.id_text(raw.get("id")) if isinstance(raw, dict) and item.is_listed else None
    if meta_id is None:
        return None
    around = [scope.field, scope.phone_number_id, meta_id]
    if item.key in ("messages", "message_echoes"):
        # A picture of the history comes twice under one id, first as a placeholder: the type distinguishes them.
        return ["message", *around, raw.get("type")]
    if item.key == "statuses" and _happens_once(item):
        return ["status", *around, raw["status"], _recipient(raw)]
    if item.key == "calls" and raw.get("event") in ONCE_PER_CALL:
        return ["call", *around, raw["event"]]
    return None


def _happens_once(item: Item) -> bool:
    """Return whether a status happens once. A payment's or a call's may come again under one id, as a new event."""
    is_of_message = event_types.is_of_message(item.raw) and item.scope.field != "calls"
    return is_of_message and scalars.word(item.raw.get("status")) in event_types.STATUSES_OF_MESSAGE


def _recipient(raw: dict[str, Any]) -> dict[str, Any]:
    """Return everything in a status that identifies its recipient: each member of a group has its own status.

    A group's status that names no member may repeat for the next member. Its time distinguishes them.
    """
    recipient = {key: value for key, value in raw.items() if "recipient" in key or "participant" in key}
    is_of_group = raw.get("recipient_type") == "group"
    if is_of_group and not any("participant" in key for key in recipient):
        recipient["timestamp"] = raw.get("timestamp")
    return recipient


def _key_by_content(item: Item, contact: Contact, occurred_at: datetime | None, receipt_sha256: bytes) -> list[Any]:
    scope = item.scope
    if occurred_at is None:  # only the position in the receipt distinguishes two equal items
        return ["path", receipt_sha256.hex(), *item.steps]
    # Equal items are two events where they are of two numbers, or of two customers that only Meta's contacts
    # distinguish. A customer named in the item is part of its content. What a contact adds to that customer stays out
    # of the key: it may be missing when the item comes in another batch.
    customer = None if contact_in_item(item) != Contact() else contact.user_id or contact.wa_id
    around = [scope.field, scope.waba_id, scope.phone_number_id, customer, item.path]
    return ["content", *around, occurred_at.timestamp(), list(item.ancestors), item.raw]
