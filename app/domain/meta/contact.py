"""Find the customer that an item is about: from the item itself, completed from Meta's list of contacts beside it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from app.domain.event import Contact
from app.domain.meta import scalars
from app.domain.meta.items import Item

Described = tuple[Contact, dict[str, Any] | None]
"""A customer, and the entry of Meta's `contacts` that describes the customer, if there is one."""


def contacts_of(items: Sequence[Item]) -> list[Described]:
    """Return the customer of each of these items, which are all the items of one value."""
    named = [contact_in_item(item) for item in items]
    entries = [_entry_by_id(item, contact) for item, contact in zip(items, named, strict=True)]
    left = _entry_left_over(items, named, entries)
    return [
        _described(item, contact, entry, left) for item, contact, entry in zip(items, named, entries, strict=True)
    ]


def _described(item: Item, named: Contact, entry: dict[str, Any] | None, left: dict[str, Any] | None) -> Described:
    if entry is None and not _names_customer(named):
        entry = item.scope.contacts[0] if len(item.scope.contacts) == 1 else None
    elif entry is None and not item.ancestors:
        entry = left
    return (named, None) if entry is None else (_completed(named, entry), entry)


def _entry_by_id(item: Item, named: Contact) -> dict[str, Any] | None:
    by_user_id = item.scope.contacts_by_user_id.get(named.user_id) if named.user_id else None
    return by_user_id or (item.scope.contacts_by_wa_id.get(named.wa_id) if named.wa_id else None)


def _entry_left_over(
    items: Sequence[Item], named: Sequence[Contact], entries: Sequence[dict[str, Any] | None]
) -> dict[str, Any] | None:
    """Return the entry of the one customer that has none by id, if one entry is left.

    Meta: a customer's WhatsApp id and phone number may differ.
    """
    scope = items[0].scope
    if not scope.contacts:
        return None
    without = {
        contact
        for item, contact, entry in zip(items, named, entries, strict=True)
        if entry is None and _names_customer(contact) and not item.ancestors
    }
    if not _is_one_customer(without):
        return None
    left: dict[str, Any] | None = scope.contact_left_over(
        {contact.wa_id for contact in named}, {contact.user_id for contact in named}
    )
    return left


def _names_customer(contact: Contact) -> bool:
    return contact.user_id is not None or contact.wa_id is not None


def _is_one_customer(contacts: Collection[Contact]) -> bool:
    wa_ids = {contact.wa_id for contact in contacts} - {None}
    user_ids = {contact.user_id for contact in contacts} - {None}
    is_linked = not wa_ids or not user_ids or any(contact.wa_id and contact.user_id for contact in contacts)
    return len(wa_ids) <= 1 and len(user_ids) <= 1 and is_linked


def _completed(named: Contact, entry: dict[str, Any]) -> Contact:
    profile = _object(entry.get("profile"))
    described = _contact(entry.get("wa_id"), entry.get("user_id"), entry.get("parent_user_id"))
    return replace(
        named,
        wa_id=named.wa_id or described.wa_id,
        user_id=named.user_id or described.user_id,
        parent_user_id=named.parent_user_id or described.parent_user_id,
        username=named.username or scalars.text(profile.get("username")),
        profile_name=scalars.text(profile.get("name")),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _contact(wa_id: Any, user_id: Any, *parent_user_ids: Any) -> Contact:
    phone, valid_user_id, parent = scalars.customer_ids(wa_id, user_id)
    valid_parents = filter(None, [*map(scalars.user_id, parent_user_ids), parent])
    return Contact(phone, valid_user_id, next(valid_parents, None))


def contact_in_item(item: Item) -> Contact:
    """Return the customer as the item alone names it; an empty Contact if it names none."""
    if not isinstance(item.raw, dict):
        return Contact()
    if item.ancestors:
        return _owner_of_thread(item)
    reader = _READERS_BY_FIELD.get((item.scope.field_name, item.key)) or _READERS_BY_LIST.get(item.key)
    return reader(item) if reader else Contact()


def _sender(item: Item) -> Contact:
    raw = item.raw
    return _contact(raw.get("from"), raw.get("from_user_id"), raw.get("from_parent_user_id"))


def _addressee(item: Item) -> Contact:
    raw = item.raw
    return _contact(raw.get("to"), raw.get("to_user_id"), raw.get("to_parent_user_id"))


def _sender_or_changed(item: Item) -> Contact:
    """Return the sender. A system message about a changed user id has none: return the customer that changed."""
    sender, system = _sender(item), item.raw.get("system")
    if sender != Contact() or not isinstance(system, dict):
        return sender
    return _contact(system.get("wa_id"), system.get("user_id"), system.get("parent_user_id"))


def _addressee_or_sender(item: Item) -> Contact:
    """Return the customer in a message of the history: only those from the business have an addressee."""
    addressee = _addressee(item)
    return _sender(item) if addressee == Contact() else addressee


def _recipient(item: Item) -> Contact:
    """Return the customer that a status is about: for a group its member, because a group is not a customer."""
    raw = item.raw
    prefix = "recipient_participant" if raw.get("recipient_type") == "group" else "recipient"
    parents = (raw.get(f"{prefix}_parent_user_id"), raw.get(f"parent_{prefix}_user_id"))
    return _contact(raw.get(f"{prefix}_id"), raw.get(f"{prefix}_user_id"), *parents)


def _customer_of_call(item: Item) -> Contact:
    """Return the customer's side of a call: the called one where the business calls, else the caller."""
    raw = item.raw
    business_phone = _object(item.scope.value.get("metadata")).get("display_phone_number")
    is_from_business = business_phone and raw.get("from") == business_phone
    is_outbound = raw.get("direction") == "BUSINESS_INITIATED" or is_from_business
    return _addressee(item) if is_outbound else _sender(item)


def _owner_of_thread(item: Item) -> Contact:
    """Return the customer of the thread: a message from the business names the business as its sender."""
    thread = item.ancestors[-1]
    context = _object(thread.get("context"))
    in_message = _addressee_or_sender(item)
    by_id, by_context = _contact(thread.get("id"), None), _contact(context.get("wa_id"), context.get("user_id"))
    return Contact(
        by_id.wa_id or by_context.wa_id,
        by_context.user_id or by_id.user_id or in_message.user_id,
        in_message.parent_user_id,
        scalars.text(context.get("username")),
    )


def _subject(item: Item) -> Contact:
    """Return the customer that changed a preference or has a new user id."""
    raw = item.raw
    user_id, parent = raw.get("user_id"), raw.get("parent_user_id")
    current = user_id.get("current") if isinstance(user_id, dict) else user_id
    return _contact(raw.get("wa_id"), current, parent.get("current") if isinstance(parent, dict) else parent)


def _in_address_book(item: Item) -> Contact:
    entry = _object(item.raw.get("contact"))
    return replace(
        _contact(entry.get("phone_number"), entry.get("user_id"), entry.get("parent_user_id")),
        username=scalars.text(entry.get("username")),
    )


def _handed_over(item: Item) -> Contact:
    sender = _object(item.raw.get("sender"))
    return _contact(sender.get("phone_number"), sender.get("user_id"), sender.get("parent_user_id"))


_READERS_BY_FIELD: dict[tuple[str | None, str], Callable[[Item], Contact]] = {
    ("message_echoes", "messages"): _addressee,
    ("smb_message_echoes", "messages"): _addressee,
    ("history", "messages"): _addressee_or_sender,
    ("messaging_handovers", ""): _handed_over,
    ("user_id_update", ""): _subject,
}
_READERS_BY_LIST: dict[str, Callable[[Item], Contact]] = {
    "messages": _sender_or_changed,
    "message_echoes": _addressee,
    "statuses": _recipient,
    "calls": _customer_of_call,
    "user_preferences": _subject,
    "user_id_update": _subject,
    "state_sync": _in_address_book,
}
