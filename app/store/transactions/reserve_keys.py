"""Reserves idempotency keys for messages that are accepted in the same transaction.

A key that another transaction reserves at the same time is waited for: of any number of requests with one key, one
reserves it, and the others learn what it was used for.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from app.domain.clock_trust import DOUBT_AFTER_JUMP, SEEN_FOR
from app.domain.message import NewMessage
from app.store.engine.bulk_upsert import BulkUpsert
from app.store.engine.one_of import one_of
from app.store.tables.clock import read_trust
from app.store.tables.message_schema import idempotency_keys
from app.store.tables.messages import key_of_message
from app.store.tables.types import UtcDateTime, chunks

_COLUMNS = ("sha256", "request_sha256", "message", "created_at")
_TAKE_EXPIRED = (
    "ON CONFLICT (sha256) DO UPDATE SET request_sha256 = excluded.request_sha256, message = excluded.message,"
    " created_at = excluded.created_at WHERE old.created_at < :expired"
)
_IS_CLOCK_TRUSTED = (
    " AND EXISTS (SELECT 1 FROM clock_jump WHERE seen_at IS NULL OR (seen_at >= :watched_since"
    " AND (doubted_until IS NULL OR doubted_until <= :asked_at)))"
)
_RESERVE_BRIEFLY = BulkUpsert(
    idempotency_keys, *_COLUMNS, on_conflict=_TAKE_EXPIRED, returning="sha256", expired=UtcDateTime()
)
"""An expired key is free again."""

_RESERVE = BulkUpsert(
    idempotency_keys,
    *_COLUMNS,
    on_conflict=_TAKE_EXPIRED + _IS_CLOCK_TRUSTED,
    returning="sha256",
    expired=UtcDateTime(),
    watched_since=UtcDateTime(),
    asked_at=UtcDateTime(),
)
"""An expired key is free again, unless the clock is doubted: `ClockTrust.holds`. This asks for such a key only."""

_RESERVED = select(idempotency_keys).where(one_of(idempotency_keys.c.sha256, "keys"))


class Reserved(NamedTuple):
    """The first use of a key: the SHA-256 of the request, and the 16 bytes of the message's id."""

    request_sha256: bytes
    message: bytes


def reserve_keys(
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
                row = {
                    "sha256": key.sha256,
                    "request_sha256": key.request_sha256,
                    "message": message.id_bytes,
                }
                rows.setdefault(key.sha256, {**row, "created_at": now})
        reserved |= _reserve_alike(connection, now, lifetime, wanted, rows)
    return reserved


def _reserve_alike(
    connection: Connection,
    now: datetime,
    lifetime: timedelta,
    wanted: Collection[bytes],
    rows: Mapping[bytes, Mapping[str, Any]],
) -> dict[bytes, Reserved]:
    """Reserve keys that live equally long. One that lives for minutes is not kept because the clock is doubted: it
    would keep a client from saying the same again for longer than it lives.

    A key that was to be reserved and could not be is in use, whatever the clock is trusted to say a moment later.
    """
    expired, is_brief = now - lifetime, lifetime < DOUBT_AFTER_JUMP
    ordered = [rows[sha256] for sha256 in sorted(rows)]
    if is_brief:
        taken = _RESERVE_BRIEFLY.execute(connection, ordered, expired=expired)
    else:
        taken = _RESERVE.execute(connection, ordered, expired=expired, watched_since=now - SEEN_FOR, asked_at=now)
    ours = [rows[bytes(sha256)] for sha256 in taken]
    reserved = {row["sha256"]: Reserved(row["request_sha256"], row["message"]) for row in ours}
    others = sorted(set(wanted) - reserved.keys())
    found = [row for chunk in chunks(others) for row in connection.execute(_RESERVED, {"keys": chunk})]
    in_use = [row for row in found if row.created_at >= expired or bytes(row.sha256) in rows]
    if len(in_use) < len(found) and not is_brief and not read_trust(connection).holds(now):
        in_use = found
    return reserved | {bytes(row.sha256): Reserved(bytes(row.request_sha256), bytes(row.message)) for row in in_use}


def forget_key(connection: Connection, sha256: bytes, message_id: str) -> None:
    """Free a key that was used for this message, before its lifetime is over."""
    table = idempotency_keys.c
    of_message = (table.sha256 == sha256) & (table.message == key_of_message(message_id))
    connection.execute(delete(idempotency_keys).where(of_message))
