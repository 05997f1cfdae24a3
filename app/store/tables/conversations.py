"""Conversations as values: when a customer wrote last to a number, and a list of all of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, literal, select, tuple_

from app.domain.message import contact_number
from app.store.tables.message_schema import contact_links, conversations
from app.store.tables.types import chunks

Party = tuple[str, tuple[str, ...]]
"""A phone number id of ours, and the names of a contact."""

Place = tuple[datetime, int, str]
"""Where a conversation stands in their list: its time, contact and number."""

_LINKED = select(contact_links).where(contact_links.c.name.in_(bindparam("names", expanding=True)))
_INBOUND = select(conversations.c.phone_number_id, conversations.c.contact, conversations.c.last_inbound_at).where(
    conversations.c.contact.in_(bindparam("contacts", expanding=True)), conversations.c.last_inbound_at.is_not(None)
)


@dataclass(frozen=True)
class Conversation:
    """A number of ours and a contact that have written to each other; the times of the last messages of each side."""

    phone_number_id: str
    contact: int
    wa_id: str | None
    user_id: str | None
    last_inbound_at: datetime | None
    last_outbound_at: datetime | None
    updated_at: datetime


def contact_numbers(connection: Connection, names: Sequence[str]) -> dict[str, set[int]]:
    """Return the numbers under which each name's contact may stand: its own, and that of its contact."""
    unique = sorted(set(names))
    numbers = {name: {contact_number(name)} for name in unique}
    for chunk in chunks(unique):
        for row in connection.execute(_LINKED, {"names": chunk}):
            numbers[row.name].add(row.contact)
    return numbers


def numbers_by_name(connection: Connection, names: Sequence[str]) -> dict[str, set[int]]:
    """Return for each name the numbers under which anything of its contact may stand, also from before a link."""
    numbers = contact_numbers(connection, names)
    former = former_numbers(connection, set[int]().union(*numbers.values()))
    return {name: of_name.union(*(former[number] for number in of_name)) for name, of_name in numbers.items()}


def every_contact_number(connection: Connection, names: Sequence[str]) -> set[int]:
    """Return the numbers under which anything of these names' contacts may stand, also from before a link."""
    return set[int]().union(*numbers_by_name(connection, names).values())


def every_name(connection: Connection, name: str) -> set[str]:
    """Return the name and all other names of its contact: linked ones, and those that it has in conversations."""
    numbers = every_contact_number(connection, [name])
    query = select(conversations.c.wa_id, conversations.c.user_id).where(conversations.c.contact.in_(numbers))
    known = {text for row in connection.execute(query) for text in row if text is not None}
    return {name, *_linked_names(connection, numbers), *known}


def former_numbers(connection: Connection, contacts: Collection[int]) -> dict[int, set[int]]:
    """Return for each of these contacts the numbers that its names stood for before they were linked to it."""
    former: dict[int, set[int]] = {contact: set() for contact in contacts}
    for chunk in chunks(sorted(former)):
        for row in connection.execute(select(contact_links).where(contact_links.c.contact.in_(chunk))):
            former[row.contact].add(contact_number(row.name))
    return former


def _linked_names(connection: Connection, numbers: Collection[int]) -> set[str]:
    return set(connection.execute(select(contact_links.c.name).where(contact_links.c.contact.in_(numbers))).scalars())


def last_inbound(connection: Connection, parties: Sequence[Party]) -> list[datetime | None]:
    """Return for each party when the contact wrote to or called the number last, by Meta's clock; None: not known."""
    numbers = numbers_by_name(connection, [name for _, names in parties for name in names])
    wanted = sorted({number for known in numbers.values() for number in known})
    times = {
        (row.phone_number_id, row.contact): row.last_inbound_at
        for chunk in chunks(wanted)
        for row in connection.execute(_INBOUND, {"contacts": chunk})
    }
    return [
        max(
            (
                times[phone_number_id, number]
                for name in names
                for number in numbers[name]
                if (phone_number_id, number) in times
            ),
            default=None,
        )
        for phone_number_id, names in parties
    ]


def page_of_conversations(connection: Connection, before: Place | None, limit: int) -> list[Conversation]:
    """Return conversations, the one with the latest message first; those behind a place in this order."""
    order = conversations.c.updated_at, conversations.c.contact, conversations.c.phone_number_id
    query = select(conversations).order_by(*(column.desc() for column in order)).limit(limit)
    if before is not None:
        query = query.where(tuple_(*order) < tuple_(*map(literal, before, (column.type for column in order))))
    return [
        Conversation(
            row.phone_number_id,
            row.contact,
            row.wa_id,
            row.user_id,
            row.last_inbound_at,
            row.last_outbound_at,
            row.updated_at,
        )
        for row in connection.execute(query)
    ]
