"""Records what is known of conversations: which names belong to one contact, and when each side wrote last."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from app.domain.message import contact_number
from app.domain.meta.touch import Touch
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import contact_links, conversations
from app.store.tables.types import chunks

_LINKED = select(contact_links).where(one_of(contact_links.c.name, "names"))
_LINK = text(
    "INSERT INTO contact_links (name, contact) VALUES (:name, :contact)"
    " ON CONFLICT (name) DO UPDATE SET contact = excluded.contact"
)
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


def contacts_of(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each name's contact."""
    unique = sorted(set(names))
    linked = _links(connection, unique)
    return {name: linked.get(name, contact_number(name)) for name in unique}


def touch_conversations(connection: Connection, now: datetime, touches: Sequence[Touch]) -> None:
    """Link the names of each contact, and record when each side wrote last. An older time changes nothing.

    A touch with names only, as each status has, is written where a name is new.
    """
    if not touches:
        return
    linked = _links(connection, sorted({name for touch in touches for name in touch.names}))
    changed = _link(connection, linked, touches)
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for touch in touches:
        if touch.phone_number_id is not None and not (touch.only_names and changed.isdisjoint(touch.names)):
            key = touch.phone_number_id, _contact(linked, touch)
            rows[key] = _merged(rows.get(key), _row(key, touch, now))
    if rows:
        _TOUCH.execute(connection, [rows[key] for key in sorted(rows)])


def _links(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    return {row.name: row.contact for chunk in chunks(names) for row in connection.execute(_LINKED, {"names": chunk})}


def _contact(linked: Mapping[str, int], touch: Touch) -> int:
    """Return the contact of a touch: that of its user id, or else of the first name that is linked to one.

    A phone number may have another user now: its link gives way to a user id.
    """
    names = touch.names[:1] if touch.user_id is not None else touch.names
    return next((linked[name] for name in names if name in linked), contact_number(touch.names[0]))


def _link(connection: Connection, linked: dict[str, int], touches: Iterable[Touch]) -> set[str]:
    """Give all names of a touch its contact. Return the names that had another one."""
    changed = {}
    for touch in touches:
        contact = _contact(linked, touch)
        for name in touch.names:
            if linked.get(name, contact_number(name)) != contact:
                linked[name] = changed[name] = contact
    if changed:
        connection.execute(_LINK, [{"name": name, "contact": changed[name]} for name in sorted(changed)])
    return set(changed)


def _row(key: tuple[str, int], touch: Touch, now: datetime) -> dict[str, Any]:
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
