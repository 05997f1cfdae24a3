"""Records what is known of conversations: which names belong to one contact, and when each side wrote last."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.domain.message import contact_number
from app.domain.meta.touch import Touch
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import contact_links, conversations
from app.store.tables.types import chunks

_LINKED = select(contact_links).where(one_of(contact_links.c.name, "names"))
_LINK = BulkUpsert(
    contact_links,
    "name",
    "contact",
    "former",
    on_conflict="ON CONFLICT (name) DO UPDATE SET contact = excluded.contact, former = excluded.former",
)
_UNDER_FORMER = select(conversations).where(one_of(conversations.c.contact, "contacts"))
_TOUCH = BulkUpsert(
    conversations,
    "phone_number_id",
    "contact",
    "wa_id",
    "user_id",
    "last_inbound_at",
    "last_outbound_at",
    "updated_at",
    on_conflict="ON CONFLICT (phone_number_id, contact) DO UPDATE SET updated_at = excluded.updated_at,"
    " wa_id = COALESCE(excluded.wa_id, old.wa_id), user_id = COALESCE(excluded.user_id, old.user_id),"
    " last_inbound_at = CASE WHEN old.last_inbound_at > excluded.last_inbound_at THEN old.last_inbound_at"
    " ELSE COALESCE(excluded.last_inbound_at, old.last_inbound_at) END,"
    " last_outbound_at = CASE WHEN old.last_outbound_at > excluded.last_outbound_at THEN old.last_outbound_at"
    " ELSE COALESCE(excluded.last_outbound_at, old.last_outbound_at) END",
)

Key = tuple[str, int]
"""The key of a conversation: a phone number id of ours, and a contact."""


def contacts_of(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each name's contact."""
    unique = sorted(set(names))
    linked = _links(connection, unique)
    return {name: linked.get(name, contact_number(name)) for name in unique}


def touch_conversations(connection: Connection, now: datetime, touches: Sequence[Touch]) -> None:
    """Link the names of each contact, and record when each side wrote last. An older time changes nothing.

    Rows under a name that is linked for the first time are its contact's from now on. The old row stays, as an
    answer may be changing it; lists leave it out.
    """
    if not touches:
        return
    linked = _links(connection, sorted({name for touch in touches for name in touch.names}))
    rows: dict[Key, dict[str, Any]] = {}
    for key, row in _joined(connection, _link(connection, linked, touches)):
        rows[key] = _merged(rows.get(key), {**row, "contact": key[1], "updated_at": now})
    for touch in touches:
        if touch.phone_number_id is not None:
            key = touch.phone_number_id, _contact(linked, touch)
            rows[key] = _merged(rows.get(key), _row(key, touch, now))
    _TOUCH.execute(connection, [rows[key] for key in sorted(rows)])


def _links(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    return {row.name: row.contact for chunk in chunks(names) for row in connection.execute(_LINKED, {"names": chunk})}


def _contact(linked: Mapping[str, int], touch: Touch) -> int:
    """Return the contact of a touch: that of its user id, or else of the first name that is linked to one.

    A phone number may have another user now: its link gives way to a user id.
    """
    names = touch.names[:1] if touch.user_id is not None else touch.names
    return next((linked[name] for name in names if name in linked), contact_number(touch.names[0]))


def _link(connection: Connection, linked: dict[str, int], touches: Iterable[Touch]) -> dict[str, int]:
    """Give all names of a touch its contact. Return the contacts of the names that had no link before."""
    changed, known = {}, set(linked)
    for touch in touches:
        contact = _contact(linked, touch)
        for name in touch.names:
            if linked.get(name, contact_number(name)) != contact:
                linked[name] = changed[name] = contact
    links = [{"name": name, "contact": changed[name], "former": contact_number(name)} for name in sorted(changed)]
    _LINK.execute(connection, links)
    return {name: contact for name, contact in changed.items() if name not in known}


def _joined(connection: Connection, linked: Mapping[str, int]) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Yield the conversations of names that are linked now, each with its key as one of its contact's.

    One of another user id, who had the phone number before, is left out.
    """
    names = {contact_number(name): name for name in linked}
    for chunk in chunks(sorted(names)):
        for row in connection.execute(_UNDER_FORMER, {"contacts": chunk}).mappings():
            name = names[row["contact"]]
            if row["user_id"] in (None, name):
                yield (row["phone_number_id"], linked[name]), dict(row)


def _row(key: Key, touch: Touch, now: datetime) -> dict[str, Any]:
    return {
        "phone_number_id": key[0],
        "contact": key[1],
        "wa_id": touch.wa_id,
        "user_id": touch.user_id,
        "last_inbound_at": touch.inbound_at,
        "last_outbound_at": touch.outbound_at,
        "updated_at": now,
    }


def _merged(earlier: Mapping[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    """Return one row for two touches of a conversation in one transaction."""
    if earlier is None:
        return row
    times = {
        name: max(filter(None, (earlier[name], row[name])), default=None)
        for name in ("last_inbound_at", "last_outbound_at")
    }
    names = {name: row[name] or earlier[name] for name in ("wa_id", "user_id")}
    return {**row, **names, **times}
