"""Accepts messages: reserves their idempotency keys, and adds them with their jobs. All of it commits, or nothing.

A message that its customer service window forbids uses no key, unless the key is used already: it gets that message.
A key that another transaction reserves at the same time is waited for: of any number of requests with one key, one
adds its message, and the others get that message.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from app.domain.clock_trust import DOUBT_AFTER_JUMP, SEEN_FOR
from app.domain.message import (
    Acceptance,
    AcceptedMessage,
    HistoryEntry,
    Message,
    MessageStatus,
    NewMessage,
    Unaccepted,
    WindowClosed,
)
from app.domain.window import Window
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.tables.clock import read_trust
from app.store.tables.conversations import former_numbers, last_inbound
from app.store.tables.message_schema import idempotency_keys, messages
from app.store.tables.messages import key_of_message, messages_by_key, progress_of
from app.store.tables.types import UtcDateTime, chunks
from app.store.transactions.enqueue import NewJob, enqueue
from app.store.transactions.touch_conversations import contacts_of

_COLUMNS = ("sha256", "request_sha256", "message", "created_at")
_TAKE_EXPIRED = (
    "ON CONFLICT (sha256) DO UPDATE SET request_sha256 = excluded.request_sha256, message = excluded.message,"
    " created_at = excluded.created_at WHERE old.created_at < :expired"
)
_IS_CLOCK_TRUSTED = (
    " AND EXISTS (SELECT 1 FROM clock_jump WHERE seen_at IS NULL OR (seen_at >= :watched_since"
    " AND (doubted_until IS NULL OR doubted_until <= :asked_at)))"
)
_RESERVE_BRIEFLY = BulkUpsert(idempotency_keys, *_COLUMNS, on_conflict=_TAKE_EXPIRED, expired=UtcDateTime())
"""An expired key is free again."""

_RESERVE = BulkUpsert(
    idempotency_keys,
    *_COLUMNS,
    on_conflict=_TAKE_EXPIRED + _IS_CLOCK_TRUSTED,
    expired=UtcDateTime(),
    watched_since=UtcDateTime(),
    asked_at=UtcDateTime(),
)
"""An expired key is free again, unless the clock is doubted: `ClockTrust.holds`. This asks for such a key only."""

_RESERVED = select(idempotency_keys).where(idempotency_keys.c.sha256.in_(bindparam("keys", expanding=True)))
_INSERT = insert(messages).returning(messages.c.id, messages.c.message_id)


class Reserved(NamedTuple):
    """What a key was used for: the SHA-256 of the request, and the 16 bytes of the message's id."""

    request_sha256: bytes
    message: bytes


def accept_messages(connection: Connection, now: datetime, new: Sequence[NewMessage]) -> list[Acceptance]:
    """Add each message that its window allows and that has no key, or is the first with its key. Return what became
    of each."""
    windows = _windows(connection, new)
    allowed = [message for message in new if not _is_forbidden(message, windows, now)]
    reserved = _reserve_keys(connection, now, new, allowed)
    wanted = [_wanted(message, reserved) for message in new]
    _add(connection, now, [message for message in allowed if _wanted(message, reserved) == _key(message)])
    stored = messages_by_key(connection, wanted)
    return [
        _acceptance(message, reserved, stored.get(key), windows.get(message.id))
        for message, key in zip(new, wanted, strict=True)
    ]


def _windows(connection: Connection, new: Sequence[NewMessage]) -> dict[str, Window]:
    """Return the windows that are to be looked at, by the ids of the messages."""
    bound = [message for message in new if message.window_policy != "off"]
    if not bound:
        return {}
    times = last_inbound(connection, [(message.phone_number_id, (message.contact_name,)) for message in bound])
    return {message.id: Window(at) for message, at in zip(bound, times, strict=True)}


def _is_forbidden(message: NewMessage, windows: dict[str, Window], now: datetime) -> bool:
    window = windows.get(message.id)
    return window is not None and window.forbids(message.window_policy, now, is_exempt=message.window_exempt)


def forget_key(connection: Connection, sha256: bytes, message_id: str) -> None:
    """Free a key that was used for this message, before its lifetime is over."""
    table = idempotency_keys.c
    of_message = (table.sha256 == sha256) & (table.message == key_of_message(message_id))
    connection.execute(delete(idempotency_keys).where(of_message))


def _reserve_keys(
    connection: Connection, now: datetime, new: Sequence[NewMessage], allowed: Sequence[NewMessage]
) -> dict[bytes, Reserved]:
    """Reserve the keys of allowed messages that are free. Return what each key in use stands for.

    Those that live briefly come first, and keys that live equally long in their order: a key never lives longer one
    time than another.
    """
    reserved: dict[bytes, Reserved] = {}
    keys = [message.key for message in new if message.key is not None]
    for lifetime in sorted({key.lifetime for key in keys}):
        wanted = [key.sha256 for key in keys if key.lifetime == lifetime]
        rows: dict[bytes, dict[str, Any]] = {}
        for message in allowed:
            if (key := message.key) is not None and key.lifetime == lifetime:
                row = {"sha256": key.sha256, "request_sha256": key.request_sha256, "message": _key(message)}
                rows.setdefault(key.sha256, {**row, "created_at": now})
        reserved |= _reserve_alike(connection, now, lifetime, wanted, [rows[sha256] for sha256 in sorted(rows)])
    return reserved


def _reserve_alike(
    connection: Connection,
    now: datetime,
    lifetime: timedelta,
    wanted: Collection[bytes],
    rows: Sequence[dict[str, Any]],
) -> dict[bytes, Reserved]:
    """Reserve keys that live equally long. One that lives for minutes is not kept because the clock is doubted: it
    would keep a client from saying the same again for longer than it lives."""
    expired, is_brief = now - lifetime, lifetime < DOUBT_AFTER_JUMP
    if is_brief:
        _RESERVE_BRIEFLY.execute(connection, rows, expired=expired)
    else:
        _RESERVE.execute(connection, rows, expired=expired, watched_since=now - SEEN_FOR, asked_at=now)
    found = [row for chunk in chunks(sorted(set(wanted))) for row in connection.execute(_RESERVED, {"keys": chunk})]
    in_use = [row for row in found if row.created_at >= expired]
    if len(in_use) < len(found) and not is_brief and not read_trust(connection).holds(now):
        in_use = found
    return {bytes(row.sha256): Reserved(bytes(row.request_sha256), bytes(row.message)) for row in in_use}


def _wanted(message: NewMessage, reserved: dict[bytes, Reserved]) -> bytes:
    """Return the 16 bytes of the message that this one is, or that its key was used for."""
    used = reserved.get(message.key.sha256) if message.key is not None else None
    return _key(message) if used is None else used.message


def _add(connection: Connection, now: datetime, fresh: Sequence[NewMessage]) -> None:
    if not fresh:
        return
    by_name = contacts_of(connection, (message.contact_name for message in fresh))
    former = former_numbers(connection, set(by_name.values()))
    addressed = [(message, by_name[message.contact_name]) for message in fresh]
    rows = [_row(message, contact, now) for message, contact in addressed]
    row_ids = {bytes(row.message_id): row.id for row in connection.execute(_INSERT, rows)}
    enqueue(
        connection,
        now,
        [
            NewJob(message.queue, row_ids[_key(message)], contact, former_keys=former[contact])
            for message, contact in addressed
        ],
    )


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
        "trace": None if message.trace is None else message.trace.packed,
    }


def _acceptance(
    new: NewMessage,
    reserved: dict[bytes, Reserved],
    stored: Message | None,
    window: Window | None,
) -> Acceptance:
    used = reserved.get(new.key.sha256) if new.key is not None else None
    if new.key is not None and used is not None and used.request_sha256 != new.key.request_sha256:
        return Unaccepted.KEY_CONFLICT
    if stored is not None:
        return AcceptedMessage(stored, stored.id != new.id, window)
    if used is None and window is not None:  # the only messages that are neither stored nor have a key in use
        return WindowClosed(window)
    return Unaccepted.ERASED


def _key(message: NewMessage) -> bytes:
    key = key_of_message(message.id)
    assert key is not None, "a new message has an id of ours"
    return key
