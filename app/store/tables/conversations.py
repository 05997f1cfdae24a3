"""Conversations as values: when a customer wrote last to a number, and a list of all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, literal, select, tuple_, union_all

from app.domain.message import contact_number
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import contact_links, conversations
from app.store.tables.types import chunks

Party = tuple[str, tuple[str, ...]]
"""A phone number id of ours, and the names of a contact."""

ConversationPosition = tuple[datetime, int, str]
"""The position of a conversation in their list: its time, contact and number."""

_LINKED = select(contact_links).where(one_of(contact_links.c.name, "names"))
_LINKED_TO = select(contact_links).where(one_of(contact_links.c.contact, "contacts"))
_LINKS = union_all(_LINKED, _LINKED_TO)
_INBOUND = select(conversations.c.phone_number_id, conversations.c.contact, conversations.c.last_inbound_at).where(
    one_of(conversations.c.contact, "contacts"), conversations.c.last_inbound_at.is_not(None)
)

_joined = conversations.alias("joined")
_JOINED = exists(
    select(1)
    .select_from(contact_links)
    .join(_joined, _joined.c.contact == contact_links.c.contact)
    .where(
        contact_links.c.former == conversations.c.contact,
        contact_links.c.contact != conversations.c.contact,
        conversations.c.user_id.is_(None) | (conversations.c.user_id == contact_links.c.name),
        _joined.c.phone_number_id == conversations.c.phone_number_id,
    )
)
"""Whether a conversation is from before its name was linked, and goes on as one of its contact's."""


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


@dataclass(frozen=True)
class Links:
    """Which contacts some names are linked to. `former`: what each contact's names stood for before their links."""

    contacts: Mapping[str, int]
    former: Mapping[int, Collection[int]]

    def contact_of(self, name: str) -> int:
        """Return the number of the name's contact."""
        return self.contacts.get(name, contact_number(name))

    def numbers_of(self, name: str) -> set[int]:
        """Return the numbers under which anything of the name's contact may be stored, also from before a link."""
        if not self.former:
            return {contact_number(name)}
        numbers = {contact_number(name), self.contact_of(name)}
        return numbers.union(*(self.former.get(number, ()) for number in numbers))


def read_links(connection: Connection, names: Iterable[str]) -> Links:
    """Return the links of these names, and of all other names of their contacts."""
    contacts: dict[str, int] = {}
    for chunk in chunks(sorted(set(names))):
        own = [contact_number(name) for name in chunk]
        contacts |= {row.name: row.contact for row in connection.execute(_LINKS, {"names": chunk, "contacts": own})}
        others = sorted({contacts[name] for name in chunk if name in contacts}.difference(own))
        if others:
            contacts |= {row.name: row.contact for row in connection.execute(_LINKED_TO, {"contacts": others})}
    former = defaultdict(set)
    for name, contact in contacts.items():
        former[contact].add(contact_number(name))
    return Links(contacts, former)


def every_contact_number(connection: Connection, names: Sequence[str]) -> set[int]:
    """Return the numbers under which anything of these names' contacts may be stored, also from before a link."""
    links = read_links(connection, names)
    return set[int]().union(*(links.numbers_of(name) for name in names))


def every_name(connection: Connection, name: str) -> set[str]:
    """Return the name and all other names of its contact: linked ones, and those that it has in conversations."""
    numbers = every_contact_number(connection, [name])
    query = select(conversations.c.wa_id, conversations.c.user_id).where(conversations.c.contact.in_(numbers))
    known = {text for row in connection.execute(query) for text in row if text is not None}
    return {name, *_linked_names(connection, numbers), *known}


def _linked_names(connection: Connection, numbers: Collection[int]) -> set[str]:
    return set(connection.execute(select(contact_links.c.name).where(contact_links.c.contact.in_(numbers))).scalars())


def last_inbound(connection: Connection, parties: Sequence[Party]) -> list[datetime | None]:
    """Return for each party when the contact wrote to or called the number last, by Meta's clock; None: not known."""
    return inbound_times(
        connection, parties, read_links(connection, [name for _, names in parties for name in names])
    )


def inbound_times(connection: Connection, parties: Sequence[Party], links: Links) -> list[datetime | None]:
    """Return the same as `last_inbound`, where the links of the names are known."""
    numbers = {name: links.numbers_of(name) for _, names in parties for name in names}
    wanted = sorted({number for known in numbers.values() for number in known})
    times = {
        (row.phone_number_id, row.contact): row.last_inbound_at
        for chunk in chunks(wanted)
        for row in connection.execute(_INBOUND, {"contacts": chunk})
    }
    return [
        max(
            (
                times[place]
                for name in names
                for number in numbers[name]
                if (place := (phone_number_id, number)) in times
            ),
            default=None,
        )
        for phone_number_id, names in parties
    ]


def page_of_conversations(
    connection: Connection, before: ConversationPosition | None, limit: int
) -> list[Conversation]:
    """Return conversations, the one with the latest message first; those behind a place in this order."""
    order = conversations.c.updated_at, conversations.c.contact, conversations.c.phone_number_id
    query = select(conversations).where(~_JOINED).order_by(*(column.desc() for column in order)).limit(limit)
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
