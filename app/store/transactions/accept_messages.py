"""Accepts messages: reserves their idempotency keys, and adds them with their jobs. All of it commits, or nothing.

A key that another transaction reserves at the same time is waited for: of any number of requests with one key, one
adds its message, and the others get that message.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, text

from app.domain.message import (
    Acceptance,
    AcceptedMessage,
    HistoryEntry,
    Message,
    MessageStatus,
    NewMessage,
    Unaccepted,
)
from app.domain.meta.touch import Touch
from app.store.tables.message_schema import idempotency_keys, messages
from app.store.tables.messages import key_of_message, messages_by_key, progress_of
from app.store.tables.types import UtcDateTime, chunks
from app.store.transactions.enqueue import NewJob, enqueue
from app.store.transactions.touch_conversations import contacts_of, touch_conversations

_RESERVE = text(
    "INSERT INTO idempotency_keys (sha256, request_sha256, message, created_at)"
    " VALUES (:sha256, :request_sha256, :message, :now)"
    " ON CONFLICT (sha256) DO UPDATE SET request_sha256 = excluded.request_sha256, message = excluded.message,"
    " created_at = excluded.created_at WHERE idempotency_keys.created_at < :expired"
).bindparams(bindparam("now", type_=UtcDateTime), bindparam("expired", type_=UtcDateTime))
"""An expired key is free again."""

_RESERVED = select(idempotency_keys).where(idempotency_keys.c.sha256.in_(bindparam("keys", expanding=True)))
_INSERT = insert(messages).returning(messages.c.id, messages.c.message_id)


class Reserved(NamedTuple):
    """What a key was used for: the SHA-256 of the request, and the 16 bytes of the message's id."""

    request_sha256: bytes
    message: bytes


def accept_messages(connection: Connection, now: datetime, new: Sequence[NewMessage]) -> list[Acceptance]:
    """Add each message that has no key, or is the first with its key. Return what became of each."""
    reserved = _reserve_keys(connection, now, new)
    wanted = [_key(message) if message.key is None else reserved[message.key.sha256].message for message in new]
    fresh = [message for message, key in zip(new, wanted, strict=True) if key == _key(message)]
    _add(connection, now, fresh)
    stored = messages_by_key(connection, wanted)
    return [_acceptance(message, reserved, stored.get(key)) for message, key in zip(new, wanted, strict=True)]


def _reserve_keys(connection: Connection, now: datetime, new: Sequence[NewMessage]) -> dict[bytes, Reserved]:
    """Reserve the keys that are free, in their order, and return what each of the given keys stands for."""
    rows: dict[bytes, dict[str, Any]] = {}
    for message in new:
        if (key := message.key) is not None:
            row = {"sha256": key.sha256, "request_sha256": key.request_sha256, "message": _key(message)}
            rows.setdefault(key.sha256, {**row, "now": now, "expired": now - key.lifetime})
    if not rows:
        return {}
    ordered = sorted(rows)
    connection.execute(_RESERVE, [rows[sha256] for sha256 in ordered])
    return {
        bytes(row.sha256): Reserved(bytes(row.request_sha256), bytes(row.message))
        for chunk in chunks(ordered)
        for row in connection.execute(_RESERVED, {"keys": chunk})
    }


def _add(connection: Connection, now: datetime, fresh: Sequence[NewMessage]) -> None:
    if not fresh:
        return
    contacts = contacts_of(connection, (message.names[0] for message in fresh))
    rows = [_row(message, contacts[message.names[0]], now) for message in fresh]
    row_ids = {bytes(row.message_id): row.id for row in connection.execute(_INSERT, rows)}
    enqueue(
        connection,
        now,
        [NewJob(message.queue, row_ids[_key(message)], contacts[message.names[0]]) for message in fresh],
    )
    named_twice = [
        Touch(None, message.names[::-1], user_id=message.recipient) for message in fresh if len(message.names) > 1
    ]
    touch_conversations(connection, now, named_twice)


def _row(message: NewMessage, contact: int, now: datetime) -> dict[str, Any]:
    return {
        "message_id": _key(message),
        "phone_number_id": message.phone_number_id,
        "contact": contact,
        "endpoint": message.endpoint,
        "type": message.type,
        "recipient_to": message.to,
        "recipient": message.recipient,
        "window_exempt": message.window_exempt,
        "status": MessageStatus.QUEUED.value,
        "resends": 0,
        "created_at": now,
        "updated_at": now,
        "expires_at": now + message.lifetime,
        "progress": progress_of([HistoryEntry(MessageStatus.QUEUED, now)], tracker=message.tracker),
        "body": message.body,
    }


def _acceptance(new: NewMessage, reserved: dict[bytes, Reserved], stored: Message | None) -> Acceptance:
    if new.key is not None and reserved[new.key.sha256].request_sha256 != new.key.request_sha256:
        return Unaccepted.KEY_CONFLICT
    if stored is None:
        return Unaccepted.ERASED
    return AcceptedMessage(stored, is_replay=stored.id != new.id)


def _key(message: NewMessage) -> bytes:
    key = key_of_message(message.id)
    assert key is not None, "a new message has an id of ours"
    return key
