"""Who an item is about: the customer that it names, with what the contacts beside it tell."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.domain.event import Contact
from app.domain.meta import scalars
from app.domain.meta.items import Item


def contact_of(found: Item) -> tuple[Contact, dict[str, Any] | None]:
    """The customer, and Meta's contact that belongs to the item."""
    named = named_by(found)
    own = _own_contact(found, named)
    return (named, None) if own is None else (_filled_in(named, own), own)


def _own_contact(found: Item, named: Contact) -> dict[str, Any] | None:
    scope = found.scope
    by_name = scope.contacts_by_user_id.get(named.user_id) if named.user_id else None
    if by_name is None and named.wa_id:
        by_name = scope.contacts_by_wa_id.get(named.wa_id)
    if by_name is not None or len(scope.contacts) != 1:
        return by_name
    # Meta: a customer's WhatsApp id and phone number may differ. Where there is one of each, they belong together.
    is_nobody = named.user_id is None and named.wa_id is None
    is_lone = scope.is_only_item and not found.ancestors
    return scope.contacts[0] if is_lone or is_nobody else None


def _filled_in(named: Contact, own: dict[str, Any]) -> Contact:
    profile = own.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    return replace(
        named,
        wa_id=named.wa_id or scalars.phone(own.get("wa_id")),
        user_id=named.user_id or scalars.user_id(own.get("user_id")),
        parent_user_id=named.parent_user_id or scalars.user_id(own.get("parent_user_id")),
        username=named.username or scalars.text(profile.get("username")),
        profile_name=scalars.text(profile.get("name")),
    )


def _contact(wa_id: Any, user_id: Any, *parent_user_ids: Any) -> Contact:
    parents = (scalars.user_id(one) for one in parent_user_ids)
    return Contact(scalars.phone(wa_id), scalars.user_id(user_id), next((one for one in parents if one), None))


def named_by(found: Item) -> Contact:
    """The customer as the item itself tells."""
    if not isinstance(found.raw, dict):
        return Contact()
    if found.ancestors:
        return _in_thread(found)
    reader = _READERS.get((found.scope.field_name, found.key)) or _READERS_OF_LISTS.get(found.key)
    return reader(found) if reader else Contact()


def _sender(found: Item) -> Contact:
    item = found.raw
    return _contact(item.get("from"), item.get("from_user_id"), item.get("from_parent_user_id"))


def _sender_or_changed(found: Item) -> Contact:
    """Who wrote; of a message about a changed user id, which nobody wrote, the one with that id."""
    sender, system = _sender(found), found.raw.get("system")
    if sender != Contact() or not isinstance(system, dict):
        return sender
    return _contact(system.get("wa_id"), system.get("user_id"), system.get("parent_user_id"))


def _addressee(found: Item) -> Contact:
    item = found.raw
    return _contact(item.get("to"), item.get("to_user_id"), item.get("to_parent_user_id"))


def _sender_or_addressee(found: Item) -> Contact:
    """Of a piece of history: only what the business sent names whom it was sent to."""
    addressee = _addressee(found)
    return _sender(found) if addressee == Contact() else addressee


def _recipient(found: Item) -> Contact:
    """Whom a status is about. A group is no customer; its member is."""
    item = found.raw
    person = "recipient_participant" if item.get("recipient_type") == "group" else "recipient"
    parents = (item.get(f"{person}_parent_user_id"), item.get(f"parent_{person}_user_id"))
    return _contact(item.get(f"{person}_id"), item.get(f"{person}_user_id"), *parents)


def _caller_or_called(found: Item) -> Contact:
    """The customer's side of a call."""
    item, metadata = found.raw, found.scope.value.get("metadata")
    ours = metadata.get("display_phone_number") if isinstance(metadata, dict) else None
    is_ours = item.get("direction") == "BUSINESS_INITIATED" or (ours and item.get("from") == ours)
    return _addressee(found) if is_ours else _sender(found)


def _in_thread(found: Item) -> Contact:
    """The customer whose thread it is; what the business wrote names the business as the sender."""
    thread = found.ancestors[-1]
    told = thread.get("context")
    told = told if isinstance(told, dict) else {}
    sent = _sender_or_addressee(found)
    wa_id = scalars.phone(thread.get("id")) or scalars.phone(told.get("wa_id"))
    user_id = scalars.user_id(told.get("user_id")) or sent.user_id
    return Contact(wa_id, user_id, sent.parent_user_id, scalars.text(told.get("username")))


def _subject(found: Item) -> Contact:
    """Who changed a preference, or has another user id now."""
    item = found.raw
    user_id, parent = item.get("user_id"), item.get("parent_user_id")
    now = user_id.get("current") if isinstance(user_id, dict) else user_id
    return _contact(item.get("wa_id"), now, parent.get("current") if isinstance(parent, dict) else parent)


def _in_address_book(found: Item) -> Contact:
    entry = found.raw.get("contact")
    entry = entry if isinstance(entry, dict) else {}
    return replace(
        _contact(entry.get("phone_number"), entry.get("user_id"), entry.get("parent_user_id")),
        username=scalars.text(entry.get("username")),
    )


def _handed_over(found: Item) -> Contact:
    sender = found.raw.get("sender")
    sender = sender if isinstance(sender, dict) else {}
    return _contact(sender.get("phone_number"), sender.get("user_id"), sender.get("parent_user_id"))


_READERS: dict[tuple[str | None, str], Callable[[Item], Contact]] = {
    ("message_echoes", "messages"): _addressee,
    ("smb_message_echoes", "messages"): _addressee,
    ("history", "messages"): _sender_or_addressee,
    ("messaging_handovers", ""): _handed_over,
    ("user_id_update", ""): _subject,
}
_READERS_OF_LISTS: dict[str, Callable[[Item], Contact]] = {
    "messages": _sender_or_changed,
    "message_echoes": _addressee,
    "statuses": _recipient,
    "calls": _caller_or_called,
    "user_preferences": _subject,
    "user_id_update": _subject,
    "state_sync": _in_address_book,
}
