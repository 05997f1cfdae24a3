"""Applies statuses to messages, also those that come before the answer with the message's wamid.

A status is matched by its wamid, or else by our tracker. A status without a tracker whose wamid is not known is kept
while a message of its number is being sent or is unknown: the answer, or a status with our tracker, may still tell
its wamid. A status with the tracker of another application is not kept: every application sees the statuses of all.
Both sides take an advisory lock before they lock messages: of a status that is kept and what tells its wamid, the
later one to commit sees the other.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from app.domain.event import Contact
from app.domain.message import Message, MessageStatus
from app.domain.message_progress import StatusReport, next_message
from app.domain.meta.status_update import StatusUpdate
from app.domain.meta.touch import Touch
from app.domain.send_answer import Accepted
from app.domain.send_outcome import touch_of_answer
from app.store.tables.message_schema import early_statuses, messages
from app.store.tables.messages import has_status, lock_messages, update_messages
from app.store.tables.types import chunks

STATUS_LOCK = 0x77617473_0003
_LOCK = {
    False: text(f"SELECT pg_advisory_xact_lock({STATUS_LOCK})"),
    True: text(f"SELECT pg_advisory_xact_lock_shared({STATUS_LOCK})"),
}
_BY_WAMID = select(messages.c.id, messages.c.wamid).where(messages.c.wamid.in_(bindparam("keys", expanding=True)))
_BY_ID = select(messages.c.id, messages.c.message_id).where(
    messages.c.message_id.in_(bindparam("keys", expanding=True))
)
_UNANSWERED = [
    select(messages.c.id).where(messages.c.phone_number_id == bindparam("number"), has_status(status)).limit(1)
    for status in (MessageStatus.SENDING, MessageStatus.UNKNOWN)
]
_EARLY = (
    select(early_statuses)
    .where(early_statuses.c.wamid.in_(bindparam("keys", expanding=True)))
    .order_by(early_statuses.c.id)
    .with_for_update()
)

Matched = list[tuple[StatusUpdate, int]]
"""Statuses, each with the row of its message."""


def apply_statuses(
    connection: Connection, now: datetime, database_id: str, updates: Sequence[StatusUpdate]
) -> list[Touch]:
    """Record what these statuses say, in their order. A wamid of ours counts, whatever tracker comes with it.

    Return what those tell of conversations that name a message whose answer has not come, or was lost.
    """
    ours = [_without_foreign_tracker(update, database_id) for update in updates]
    matched, unmatched, telling = _match(connection, ours)
    may_be_ours = [update for update in unmatched if not update.has_tracker]
    if may_be_ours or telling:
        hold_status_lock(connection, shared=not may_be_ours)
    if may_be_ours:
        matched_late, unknown, _ = _match(connection, may_be_ours)
        matched += matched_late
        _keep(connection, unknown)
    return _apply(connection, now, matched, telling) if matched else []


def hold_status_lock(connection: Connection, *, shared: bool) -> None:
    """Keep unmatched statuses, and what may reveal their wamids, from committing at the same time.

    Those that may reveal wamids share the lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK[shared])


def take_early_reports(connection: Connection, wamids: Iterable[str]) -> dict[str, list[StatusReport]]:
    """Return and delete the kept statuses with these wamids, by wamid. The caller holds the status lock."""
    reports: dict[str, list[StatusReport]] = defaultdict(list)
    rows = [row for chunk in chunks(sorted(set(wamids))) for row in connection.execute(_EARLY, {"keys": chunk})]
    for row in rows:
        details = json.loads(bytes(row.details))
        reports[row.wamid].append(
            StatusReport(MessageStatus(row.status), row.at, row.wamid, details.get("error"), details.get("pricing"))
        )
    for chunk in chunks([row.id for row in rows]):
        connection.execute(delete(early_statuses).where(early_statuses.c.id.in_(chunk)))
    return reports


def _without_foreign_tracker(update: StatusUpdate, database_id: str) -> StatusUpdate:
    """Return the status without the tracker of another gateway, which names none of our messages."""
    is_foreign = update.tracker is not None and update.tracker.database_id != database_id
    return replace(update, tracker=None) if is_foreign else update


def _match(connection: Connection, updates: Sequence[StatusUpdate]) -> tuple[Matched, list[StatusUpdate], Matched]:
    """Return the statuses whose message is known, the others, and those of the first that reveal a message's wamid.

    A status without a tracker is about the same attempt as one with its wamid and our tracker.
    """
    by_wamid = _rows(connection, _BY_WAMID, {update.wamid for update in updates})
    trackers = {update.tracker.message for update in updates if update.tracker and update.wamid not in by_wamid}
    by_id = _rows(connection, _BY_ID, trackers)
    telling = {
        update.wamid: (update, by_id[update.tracker.message])
        for update in updates
        if update.wamid not in by_wamid and update.tracker and update.tracker.message in by_id
    }
    matched: Matched = []
    unmatched = []
    for update in updates:
        if (row_id := by_wamid.get(update.wamid)) is not None:
            matched.append((update, row_id))
        elif (told := telling.get(update.wamid)) is not None:
            matched.append((replace(update, tracker=told[0].tracker), told[1]))
        else:
            unmatched.append(update)
    return matched, unmatched, list(telling.values())


def _rows(connection: Connection, query: Any, keys: Iterable[Any]) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for chunk in chunks(sorted(keys)):
        for row_id, key in connection.execute(query, {"keys": chunk}):
            found[bytes(key) if isinstance(key, memoryview) else key] = row_id
    return found


def _keep(connection: Connection, updates: Sequence[StatusUpdate]) -> None:
    """Keep the statuses of numbers that have a message whose answer may still come: they may be about it."""
    numbers = {update.phone_number_id for update in updates}
    waiting = {
        number
        for number in numbers
        if any(connection.execute(query, {"number": number}).first() for query in _UNANSWERED)
    }
    rows = [
        {
            "wamid": update.wamid,
            "status": update.status.value,
            "at": update.at,
            "phone_number_id": update.phone_number_id,
            "details": json.dumps({"error": update.error, "pricing": update.pricing}).encode("ascii"),
        }
        for update in updates
        if update.phone_number_id in waiting
    ]
    if rows:
        connection.execute(insert(early_statuses), rows)


def _apply(connection: Connection, now: datetime, matched: Matched, telling: Matched) -> list[Touch]:
    stored = lock_messages(connection, {row_id for _, row_id in matched})
    current = dict(stored)
    for update, row_id in (*matched, *_kept_before(connection, telling)):
        message = current.get(row_id)  # it may have been erased in between
        if message is not None and not _is_failure_before_a_resend(update, message):
            current[row_id] = next_message(message, _report_of(update, message))
    update_messages(connection, now, [message for row_id, message in current.items() if message != stored[row_id]])
    return [_touch(update, current[row_id]) for update, row_id in telling if row_id in current]


def _touch(update: StatusUpdate, message: Message) -> Touch:
    """Return what the answer to a message would have told of its conversation."""
    contact = Contact() if update.is_group else update.contact
    return touch_of_answer(message, Accepted(update.wamid, contact.wa_id, contact.user_id), update.at)


def _kept_before(connection: Connection, telling: Matched) -> Matched:
    """Return the kept statuses whose wamids are known now, as of the attempt that the revealing status names."""
    early = take_early_reports(connection, [update.wamid for update, _ in telling]) if telling else {}
    return [
        (replace(update, status=kept.status, at=kept.at, error=kept.error, pricing=kept.pricing), row_id)
        for update, row_id in telling
        for kept in early.get(update.wamid, ())
    ]


def _is_failure_before_a_resend(update: StatusUpdate, message: Message) -> bool:
    """Return whether the status says that an attempt failed from before an operator sent the message again."""
    return update.status is MessageStatus.FAILED and _is_before_a_resend(update, message)


def _is_before_a_resend(update: StatusUpdate, message: Message) -> bool:
    return update.tracker is not None and update.tracker.resends < message.resends


def _report_of(update: StatusUpdate, message: Message) -> StatusReport:
    """Return what a status says. The wamid of an attempt before an operator sent it again is not the message's."""
    wamid = None if _is_before_a_resend(update, message) else update.wamid
    return StatusReport(update.status, update.at, wamid, update.error, update.pricing)
