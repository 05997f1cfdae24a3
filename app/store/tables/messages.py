"""Messages as rows and back: one, and a page of them.

`progress` holds as ASCII JSON what changes while a message is on its way. Escapes keep what a text column of
PostgreSQL refuses: NUL and halves of surrogate pairs.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select

from app.domain.compact_json import compact_json
from app.domain.message import MESSAGE_ID, PREFIX, UNFINISHED, HistoryEntry, Message, MessageStatus
from app.store.engine.bulk_update import BulkUpdate
from app.store.engine.one_of import one_of
from app.store.tables.message_alerts import alert_in_row
from app.store.tables.message_changes import record_changes, recorded_statuses
from app.store.tables.message_schema import contact_links, messages
from app.store.tables.types import MAX_ROW_ID, UtcDateTime, chunks

_SENT_TO = func.ltrim(func.coalesce(messages.c.recipient_to, messages.c.recipient), "+")  # as `name_sent_to`
_LINKED = select(contact_links.c.contact).where(contact_links.c.name == _SENT_TO).scalar_subquery()
_COLUMNS = [column for column in messages.columns if column.name not in ("body", "trace", "alert")]
_BY_KEYS = select(*_COLUMNS).where(one_of(messages.c.message_id, "keys"))
_CONTACT_NOW = func.coalesce(_LINKED, messages.c.contact).label("contact")
_NOW = [_CONTACT_NOW if column is messages.c.contact else column for column in _COLUMNS]
_LOCK = select(*_NOW).where(one_of(messages.c.id, "ids")).order_by(messages.c.id).with_for_update()
_HISTORIES = select(messages.c.id, messages.c.progress).where(one_of(messages.c.id, "ids"))
_CHANGING = "status", "resends", "expires_at", "wamid", "second_wamid", "progress", "alert"
_UPDATE = BulkUpdate(messages, *_CHANGING, updated_at=bindparam("now", type_=UtcDateTime))


@dataclass(frozen=True)
class MessageFilter:
    """Which messages to list: with a status, to one of these contacts, of a number; with row ids below `before`."""

    status: MessageStatus | None = None
    contacts: Collection[int] | None = None
    phone_number_id: str | None = None
    before: int = MAX_ROW_ID
    limit: int = 50


@dataclass(frozen=True)
class MessageCounts:
    """How many messages are unknown for too long, and how many Meta has accepted twice."""

    unknown: int = 0
    sent_twice: int = 0


def has_status(status: MessageStatus) -> ColumnElement[bool]:
    """Return the condition that a message has this status, so worded that SQLite uses a partial index."""
    return messages.c.status == bindparam(None, status.value, literal_execute=True)


def numbers_without_answer(connection: Connection) -> set[str]:
    """Return the numbers with a message whose answer may still come."""
    return {
        number
        for status in (MessageStatus.SENDING, MessageStatus.UNKNOWN)
        for number in connection.execute(
            select(messages.c.phone_number_id).where(has_status(status)).distinct()
        ).scalars()
    }


def messages_without_bodies() -> Select[tuple[Any, ...]]:
    """Return a query for messages; their bodies, which are large, are not read."""
    return select(*_COLUMNS)


def messages_with_bodies() -> Select[tuple[Any, ...]]:
    """Return a query for messages with their bodies, each with the contact that its recipient is now.

    The recipient's name may have been linked to another one since the message was accepted.
    """
    return select(*_NOW, messages.c.body, messages.c.trace)


def key_of_message(message_id: str) -> bytes | None:
    """Return the 16 bytes in a message's public id, or None if it is not such an id."""
    match = MESSAGE_ID.fullmatch(message_id)
    return bytes.fromhex(match[1]) if match else None


def progress_of(
    history: Iterable[HistoryEntry],
    *,
    tracker: str | None,
    meta_status: str | None = None,
    meta_contact: dict[str, str] | None = None,
    error: dict[str, Any] | None = None,
    pricing: dict[str, Any] | None = None,
) -> bytes:
    """Return the column `progress`. What is None is left out."""
    entries = [(entry.status, entry.at.isoformat()) for entry in history]
    parts = {
        "history": entries,
        "tracker": tracker,
        "metaStatus": meta_status,
        "metaContact": meta_contact,
        "error": error,
        "pricing": pricing,
    }
    known = {name: part for name, part in parts.items() if part is not None}
    return compact_json(known).encode("ascii")


def lock_messages(connection: Connection, row_ids: Iterable[int]) -> dict[int, Message]:
    """Lock these messages in the order of their row ids; return those that exist, each with its contact of now."""
    return {
        row.id: message_of(row)
        for chunk in chunks(sorted(row_ids))
        for row in connection.execute(_LOCK, {"ids": chunk})
    }


def update_messages(connection: Connection, now: datetime, changed: Collection[Message]) -> None:
    """Store what has changed about these messages, which are locked."""
    rows = [
        (
            message.row_id,
            message.status.value,
            message.resends,
            message.expires_at,
            message.wamid,
            message.second_wamid,
            progress_of(
                message.history,
                tracker=message.tracker,
                meta_status=message.meta_status,
                meta_contact=message.meta_contact,
                error=message.error,
                pricing=message.pricing,
            ),
            alert_in_row(message),
        )
        for message in changed
    ]
    _record(connection, changed)
    _UPDATE.execute(connection, rows, now=now)


def _record(connection: Connection, changed: Collection[Message]) -> None:
    """Record changes of messages whose events are asked for, before the update replaces their histories."""
    if not recorded_statuses(connection):
        return
    histories = {
        row.id: history_of(json.loads(bytes(row.progress)))
        for ids in chunks([message.row_id for message in changed])
        for row in connection.execute(_HISTORIES, {"ids": ids})
    }
    record_changes(connection, histories, changed)


def history_of(progress: dict[str, Any]) -> tuple[HistoryEntry, ...]:
    """Return the history in the column `progress`."""
    return tuple(HistoryEntry(status, datetime.fromisoformat(at)) for status, at in progress["history"])


def message_of(row: Row[*tuple[Any, ...]]) -> Message:
    """Return the message that a row of the table holds."""
    progress = json.loads(bytes(row.progress))
    return Message(
        id=PREFIX + bytes(row.message_id).hex(),
        row_id=row.id,
        phone_number_id=row.phone_number_id,
        contact=row.contact,
        endpoint=row.endpoint,
        status=MessageStatus(row.status),
        type=row.type,
        to=row.recipient_to,
        recipient=row.recipient,
        wamid=row.wamid,
        resends=row.resends,
        tracker=progress.get("tracker"),
        created_at=row.created_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        history=history_of(progress),
        meta_status=progress.get("metaStatus"),
        meta_contact=progress.get("metaContact"),
        error=progress.get("error"),
        pricing=progress.get("pricing"),
        second_wamid=row.second_wamid,
    )


def messages_by_key(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, Message]:
    """Return these messages, by the 16 bytes of their ids. Those that were deleted are missing."""
    return {
        bytes(row.message_id): message_of(row)
        for chunk in chunks(sorted(set(keys)))
        for row in connection.execute(_BY_KEYS, {"keys": chunk})
    }


def answered_messages(connection: Connection, keys: Iterable[bytes]) -> list[Message]:
    """Return those of these messages, by the 16 bytes of their ids, that are no longer queued or being sent."""
    return [
        message_of(row)
        for chunk in chunks(sorted(set(keys)))
        for row in connection.execute(_BY_KEYS.where(messages.c.status.not_in(UNFINISHED)), {"keys": chunk})
    ]


def message_by_wamid(connection: Connection, wamid: str) -> Message | None:
    """Return the newest message that Meta gave this id. Two have the same one only if Meta repeats itself."""
    query = select(*_COLUMNS).where(messages.c.wamid == wamid).order_by(messages.c.id.desc()).limit(1)
    return next(map(message_of, connection.execute(query)), None)


def body_of(connection: Connection, key: bytes) -> bytes | None:
    """Return the body that Meta gets, without a tracker."""
    body = connection.execute(select(messages.c.body).where(messages.c.message_id == key)).scalar_one_or_none()
    return None if body is None else bytes(body)


def page_of_messages(connection: Connection, chosen: MessageFilter) -> list[Message]:
    """Return the newest messages that the filter chooses."""
    query = select(*_COLUMNS).where(messages.c.id < chosen.before).order_by(messages.c.id.desc()).limit(chosen.limit)
    if chosen.status is not None:
        query = query.where(has_status(chosen.status))
    if chosen.contacts is not None:
        query = query.where(messages.c.contact.in_(chosen.contacts))
    if chosen.phone_number_id is not None:
        query = query.where(messages.c.phone_number_id == chosen.phone_number_id)
    return [message_of(row) for row in connection.execute(query)]


def count_messages(connection: Connection, unknown_before: datetime) -> MessageCounts:
    """Count messages that are unknown since before this time, and those with a second wamid; by partial indexes."""
    is_old = has_status(MessageStatus.UNKNOWN) & (messages.c.updated_at < unknown_before)
    unknown, twice = (
        connection.execute(select(func.count()).select_from(messages).where(condition)).scalar_one()
        for condition in (is_old, messages.c.second_wamid.is_not(None))
    )
    return MessageCounts(unknown, twice)
