"""Reads out of an event which conversation it belongs to, whether the customer has written or called, and which names
are one customer's.

Source: Meta, "Customer service windows": a customer's message or call opens a window of 24 hours, or renews it. A
system message about a customer does not, nor does a message that was taken back.
"""

from dataclasses import dataclass
from datetime import datetime

from app.domain.event import NewEvent
from app.domain.meta.event_types import NOT_WRITTEN, STATUS_PREFIX
from app.domain.meta.names import CHANGES

USER_CALLS = "USER_INITIATED"


@dataclass(frozen=True)
class Touch:
    """Something that happened in a conversation. `names` are one contact's, the most stable first.

    `inbound_at`: when the customer wrote or called, by Meta's clock. `outbound_at`: when a message was accepted.
    `only_names`: it says only that these names are one contact's.
    """

    phone_number_id: str | None
    names: tuple[str, ...]
    wa_id: str | None = None
    user_id: str | None = None
    inbound_at: datetime | None = None
    outbound_at: datetime | None = None
    only_names: bool = False


def touch_of(event: NewEvent) -> Touch | None:
    """Return the touch of an event; None if the event belongs to no conversation."""
    if event.type in CHANGES:
        return _change(event)
    if event.type.startswith(STATUS_PREFIX):
        return _both_names(event)
    if event.phone_number_id is None or not _is_inbound(event):
        return None
    group = event.data.get("groupId")
    contact = event.contact
    names = (group,) if isinstance(group, str) else (contact.user_id, contact.wa_id, contact.parent_user_id)
    known = tuple(name for name in names if name)
    if not known:
        return None
    return Touch(event.phone_number_id, known, contact.wa_id, contact.user_id, inbound_at=event.occurred_at)


def _is_inbound(event: NewEvent) -> bool:
    if event.type == "call.connect":
        return event.data.get("direction") == USER_CALLS
    is_message = event.origin.field == "messages" and event.origin.path == "value.messages[]"
    return is_message and event.type not in NOT_WRITTEN


def _both_names(event: NewEvent) -> Touch | None:
    """Return the two names of a status's customer; None if it has one. A group's member is in no conversation."""
    wa_id, user_id = event.contact.wa_id, event.contact.user_id
    if wa_id is None or user_id is None:
        return None
    number = None if event.raw.get("recipient_type") == "group" else event.phone_number_id
    return Touch(number, (user_id, wa_id), wa_id, user_id, only_names=True)


def _change(event: NewEvent) -> Touch | None:
    """Return the names before and after a change, so that they are one contact's."""
    versions = [event.data.get(version) for version in ("previous", "current")]
    names = [version.get(key) for version in versions if isinstance(version, dict) for key in ("userId", "waId")]
    known = tuple(dict.fromkeys(name.removeprefix("+") for name in names if isinstance(name, str) and name))
    return Touch(None, known) if len(known) > 1 else None
