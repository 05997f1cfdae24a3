"""What makes an event this one: its id is a digest of a key, so that the same update always has the same id.

What each key could swallow or double: docs/decisions/0007-an-events-id.md.
"""

import hashlib
from datetime import datetime
from typing import Any

from app.domain.event import Contact
from app.domain.meta import scalars
from app.domain.meta.contact import named_by
from app.domain.meta.context import canonical
from app.domain.meta.items import Item

ONE_OF_EACH = ("connect", "terminate")
"""What happens to a call once. Other events of a call may come again."""


def event_id(found: Item, contact: Contact, when: datetime | None, receipt_sha256: bytes) -> str:
    """The id of what happened. `when`: the best time that the item or its entry tells, if one does."""
    key = _own_key(found) or _key_by_content(found, contact, when, receipt_sha256)
    return "evt_" + hashlib.sha256(canonical(key).encode("ascii")).hexdigest()[:32]


def _own_key(found: Item) -> list[Any] | None:
    """The key of an item that Meta gave an id: a message, what became of one, a call."""
    item, scope = found.raw, found.scope
    item_id = scalars.written(item.get("id")) if isinstance(item, dict) and found.is_listed else None
    if item_id is None:
        return None
    around = [scope.field, scope.phone_number_id, item_id]
    if found.key in ("messages", "message_echoes"):
        # A picture of a history comes twice under one id, first as a placeholder: the type tells them apart.
        return ["message", *around, item.get("type")]
    if found.key == "statuses" and isinstance(item.get("status"), str):
        return ["status", *around, item["status"], _recipient(item)]
    if found.key == "calls" and item.get("event") in ONE_OF_EACH:
        return ["call", *around, item["event"]]
    return None


def _recipient(item: dict[str, Any]) -> dict[str, Any]:
    """All that a status says of whom it is about: each member of a group has a status of their own.

    A group's status that names no member may come again for the next one; its time tells them apart.
    """
    named = {key: value for key, value in item.items() if "recipient" in key or "participant" in key}
    is_of_group = item.get("recipient_type") == "group"
    if is_of_group and not any("participant" in key for key in named):
        named["timestamp"] = item.get("timestamp")
    return named


def _key_by_content(found: Item, contact: Contact, when: datetime | None, receipt_sha256: bytes) -> list[Any]:
    scope = found.scope
    if when is None:  # nothing tells two equal items apart but where they stood
        return ["path", receipt_sha256.hex(), *found.steps]
    # Equal items of two numbers, or of two customers whom only their contacts tell apart, are two. A customer that
    # the item names is in its content; what a contact adds may be missing when it comes in another batch.
    customer = None if named_by(found) != Contact() else contact.user_id or contact.wa_id
    around = [scope.field, scope.waba_id, scope.phone_number_id, customer, found.path]
    return ["content", *around, when.timestamp(), list(found.ancestors), found.raw]
