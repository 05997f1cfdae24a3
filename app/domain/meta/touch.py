"""Reads out of an event which conversation it belongs to, and whether the customer has written or called.

Only what Meta says makes two names one customer's; what a client says may be wrong.

Source: Meta, "Customer service windows": a customer's message or call opens a window of 24 hours, or renews it. A
system message about a customer does not, nor does a message that was taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.erasure import is_phone
from app.domain.event import NewEvent
from app.domain.message import Message, contact_number, name_sent_to
from app.domain.meta import scalars
from app.domain.meta.event_types import NOT_WRITTEN
from app.domain.meta.names import CHANGES
from app.domain.meta.status_update import StatusUpdate

USER_CALLS = "USER_INITIATED"


@dataclass(frozen=True)
class Touch:
    """Something that happened in a conversation. `names` are one contact's, the most stable first.

    `inbound_at`: when the customer wrote or called, by Meta's clock. `outbound_at`: when a message was accepted.
    """

    phone_number_id: str | None
    names: tuple[str, ...]
    wa_id: str | None = None
    user_id: str | None = None
    inbound_at: datetime | None = None
    outbound_at: datetime | None = None


def touch_of(event: NewEvent) -> Touch | None:
    """Return the touch of an event; None if the event belongs to no conversation."""
    if event.type in CHANGES:
        return _change(event)
    if event.phone_number_id is None or not _is_inbound(event):
        return None
    group = event.data.get("groupId")
    contact = event.contact
    names = (group,) if isinstance(group, str) else (contact.user_id, contact.wa_id, contact.parent_user_id)
    known = tuple(name for name in names if name)
    if not known:
        return None
    return Touch(event.phone_number_id, known, contact.wa_id, contact.user_id, inbound_at=event.occurred_at)


def touches_of_status(
    update: StatusUpdate, message: Message | None = None, accepted_at: datetime | None = None
) -> list[Touch]:
    """Return the touches of a status: all names that it gives to its recipient are one customer's.

    `message`: the one that it is about, if that is known; it was sent to one of the recipient's names, or to a group.
    `accepted_at`: when it was accepted, if no answer of Meta's has said so. No touch repeats what its message shows.
    """
    contact, sent_to = update.contact, None if message is None else name_sent_to(message.to, message.recipient)
    is_group = update.is_group or not (sent_to is None or _is_of_person(sent_to))
    ids = (contact.user_id, None if is_group else sent_to, contact.wa_id, contact.parent_user_id)
    names = tuple(dict.fromkeys(name for name in ids if name is not None and _is_of_person(name)))
    touches = []
    if message is not None and sent_to is not None and accepted_at is not None:
        party = ((sent_to,), scalars.phone(sent_to), None) if is_group else (names, contact.wa_id, contact.user_id)
        touches.append(Touch(message.phone_number_id, *party, outbound_at=accepted_at))
    if len(names) > 1 and (message is None or is_group or not _are_linked(names, message)):
        touches.append(Touch(None, names, user_id=contact.user_id))
    return touches


def _is_of_person(name: str) -> bool:
    return is_phone(name) or scalars.is_user_id(name)


def _are_linked(names: Iterable[str], message: Message) -> bool:
    """Return whether a message shows that these names are linked: its contact is, and what its answer named was."""
    known = {name_sent_to(message.to, message.recipient), *(message.meta_contact or {}).values()}
    return all(name in known or contact_number(name) == message.contact for name in names)


def _is_inbound(event: NewEvent) -> bool:
    if event.type == "call.connect":
        return event.data.get("direction") == USER_CALLS
    is_message = event.origin.field == "messages" and event.origin.path == "value.messages[]"
    return is_message and event.type not in NOT_WRITTEN


def _change(event: NewEvent) -> Touch | None:
    """Return the names before and after a change, so that they are one contact's.

    User ids come first: a number that was given up may soon be another customer's, and nothing may be kept under it.
    Nor may the new number lead to the customer who had it before.
    """
    versions = [event.data.get(version) for version in ("previous", "current")]
    names = [version.get(key) for key in ("userId", "waId") for version in versions if isinstance(version, dict)]
    texts = (name.removeprefix("+") for name in names if isinstance(name, str))
    known = tuple(dict.fromkeys(name for name in texts if _is_of_person(name)))
    user_id = known[0] if known and scalars.is_user_id(known[0]) else None
    return Touch(None, known, user_id=user_id) if len(known) > 1 else None
