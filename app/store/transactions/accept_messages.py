"""Accepts messages: reserves their idempotency keys, and adds them with their jobs. All of it commits, or nothing.

A message that is late, or that its customer service window forbids, uses no key, unless the key is used already: it
gets that message.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

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
from app.store.engine.bulk_insert import BulkInsert
from app.store.tables.conversations import Links, inbound_times, read_links
from app.store.tables.message_schema import messages
from app.store.tables.messages import messages_by_key, progress_of
from app.store.transactions.enqueue import NewJob, enqueue
from app.store.transactions.reserve_keys import Reserved, reserve_keys

_INSERT = BulkInsert(
    messages,
    "message_id",
    "phone_number_id",
    "contact",
    "endpoint",
    "type",
    "recipient_to",
    "recipient",
    "window_exempt",
    "expires_at",
    "progress",
    "body",
    "trace",
)


def accept_messages(connection: Connection, now: datetime, new: Sequence[NewMessage]) -> list[Acceptance]:
    """Add each message that may be accepted now and has no key, or is the first with its key. Return what became of
    each."""
    links = read_links(connection, [message.contact_name for message in new])
    windows = _windows(connection, links, new)
    allowed = [message for message in new if not (message.is_late or _is_forbidden(message, windows, now))]
    reserved = reserve_keys(connection, now, new, allowed)
    wanted = {message.id: _wanted(message, reserved) for message in new}
    added = _add(connection, now, links, [message for message in allowed if wanted[message.id] == message.id_bytes])
    stored = added | messages_by_key(connection, set(wanted.values()) - added.keys())
    return [
        _acceptance(message, reserved, stored.get(wanted[message.id]), windows.get(message.id)) for message in new
    ]


def _windows(connection: Connection, links: Links, new: Sequence[NewMessage]) -> dict[str, Window]:
    """Return the windows that are to be looked at, by the ids of the messages."""
    bound = [message for message in new if message.window_policy != "off"]
    if not bound:
        return {}
    parties = [(message.phone_number_id, (message.contact_name,)) for message in bound]
    times = inbound_times(connection, parties, links)
    return {message.id: Window(at) for message, at in zip(bound, times, strict=True)}


def _is_forbidden(message: NewMessage, windows: dict[str, Window], now: datetime) -> bool:
    window = windows.get(message.id)
    return window is not None and window.forbids(message.window_policy, now, is_exempt=message.window_exempt)


def _wanted(message: NewMessage, reserved: dict[bytes, Reserved]) -> bytes:
    """Return the 16 bytes of the message that this one is, or that its key was used for."""
    used = reserved.get(message.key.sha256) if message.key is not None else None
    return message.id_bytes if used is None else used.message


def _add(connection: Connection, now: datetime, links: Links, fresh: Sequence[NewMessage]) -> dict[bytes, Message]:
    """Add these messages with their jobs, and return them by the 16 bytes of their ids."""
    if not fresh:
        return {}
    addressed = [(message, links.contact_of(message.contact_name)) for message in fresh]
    history = (HistoryEntry(MessageStatus.QUEUED, now),)
    progress = {tracker: progress_of(history, tracker=tracker) for tracker in {message.tracker for message in fresh}}
    rows = [_row(message, contact, now, progress[message.tracker]) for message, contact in addressed]
    row_ids = _INSERT.add(
        connection, rows, status=MessageStatus.QUEUED.value, resends=0, created_at=now, updated_at=now
    )
    jobs = [
        NewJob(message.queue, row_id, contact, former_keys=links.former.get(contact, ()))
        for (message, contact), row_id in zip(addressed, row_ids, strict=True)
    ]
    enqueue(connection, now, jobs)
    return {
        message.id_bytes: _message(message, contact, row_id, now, history)
        for (message, contact), row_id in zip(addressed, row_ids, strict=True)
    }


def _row(message: NewMessage, contact: int, now: datetime, progress: bytes) -> tuple[object, ...]:
    return (
        message.id_bytes,
        message.phone_number_id,
        contact,
        message.endpoint,
        message.type,
        message.to,
        message.recipient,
        message.window_exempt,
        now + message.lifetime,
        progress,
        message.body,
        None if message.trace is None else message.trace.packed,
    )


def _message(new: NewMessage, contact: int, row_id: int, now: datetime, history: tuple[HistoryEntry, ...]) -> Message:
    return Message(
        id=new.id,
        row_id=row_id,
        phone_number_id=new.phone_number_id,
        contact=contact,
        endpoint=new.endpoint,
        status=MessageStatus.QUEUED,
        type=new.type,
        to=new.to,
        recipient=new.recipient,
        wamid=None,
        resends=0,
        tracker=new.tracker,
        created_at=now,
        updated_at=now,
        expires_at=now + new.lifetime,
        history=history,
    )


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
    if used is None and new.is_late:
        return Unaccepted.LATE
    if used is None and window is not None:  # all others that are neither stored nor have a key in use
        return WindowClosed(window)
    return Unaccepted.ERASED
