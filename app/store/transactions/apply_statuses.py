"""Applies statuses to messages, also those that come before it is known whose they are.

A status is matched by its wamid, or else by our tracker. One without a tracker whose wamid is not known is kept while
a message of its number is being sent or is unknown. Whatever makes a wamid known later takes what is kept under it: a
status with our tracker, in the same transaction or in a later one, or Meta's answer. So every order leads to the same
end. A status with the tracker of another application is not kept: every application sees the statuses of all.

An answer and an unmatched status take an advisory lock before they lock messages: if they commit at the same time,
the later one sees the other. Two transactions of statuses need none: the owner of the split job alone keeps any.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from app.domain.message import MessageStatus
from app.domain.message_progress import StatusReport, accepted_since, next_after_status
from app.domain.meta.status_update import StatusUpdate
from app.domain.meta.touch import Touch, touches_of_status
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import early_statuses, messages
from app.store.tables.messages import has_status, lock_messages, update_messages
from app.store.tables.types import chunks

STATUS_LOCK = 0x77617473_0003
_LOCK = {
    False: text(f"SELECT pg_advisory_xact_lock({STATUS_LOCK})"),
    True: text(f"SELECT pg_advisory_xact_lock_shared({STATUS_LOCK})"),
}
_BY_WAMID = select(messages.c.id, messages.c.wamid).where(one_of(messages.c.wamid, "keys"))
_BY_SECOND_WAMID = select(messages.c.id, messages.c.second_wamid).where(
    one_of(messages.c.second_wamid, "keys"), messages.c.second_wamid.is_not(None)
)
_BY_ID = select(messages.c.id, messages.c.message_id).where(one_of(messages.c.message_id, "keys"))
_UNANSWERED = [
    select(messages.c.id).where(messages.c.phone_number_id == bindparam("number"), has_status(status)).limit(1)
    for status in (MessageStatus.SENDING, MessageStatus.UNKNOWN)
]
_EARLY = (
    select(early_statuses)
    .where(one_of(early_statuses.c.wamid, "keys"))
    .order_by(early_statuses.c.id)
    .with_for_update()
)


class _Attempt(NamedTuple):
    """The attempt that has a wamid. `resends`: from a tracker; None: the wamid is stored with its message."""

    row_id: int
    resends: int | None = None


def apply_statuses(
    connection: Connection, now: datetime, database_id: str, updates: Sequence[StatusUpdate]
) -> list[Touch]:
    """Record what these statuses say, in their order. A wamid of ours counts, whatever tracker comes with it.

    Return the touches of these statuses, also of those about messages of other applications.
    """
    attempts = _stored(connection, _BY_WAMID, {update.wamid for update in updates})
    tracked = _tracked(connection, database_id, [update for update in updates if update.wamid not in attempts])
    attempts |= tracked
    if unmatched := [one for one in updates if one.wamid not in attempts and not one.has_tracker]:
        hold_status_lock(connection, shared=False)
        for query in (_BY_WAMID, _BY_SECOND_WAMID):
            attempts |= _stored(connection, query, {update.wamid for update in unmatched})
        _keep(connection, [update for update in unmatched if update.wamid not in attempts])
    touches = [touch for one in updates if one.wamid not in attempts for touch in touches_of_status(one)]
    return [*touches, *_apply(connection, now, attempts, tracked, updates)] if attempts else touches


def hold_status_lock(connection: Connection, *, shared: bool) -> None:
    """Keep answers and unmatched statuses from committing at the same time. Answers share the lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK[shared])


def take_early_reports(connection: Connection, wamids: Iterable[str]) -> dict[str, list[StatusReport]]:
    """Return and delete the kept statuses with these wamids, by wamid. Their messages are locked."""
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


def _stored(connection: Connection, query: Any, wamids: Iterable[str]) -> dict[str, _Attempt]:
    """Return the attempts of those of these wamids that are stored with a message."""
    return {wamid: _Attempt(row_id) for wamid, row_id in _rows(connection, query, wamids).items()}


def _tracked(connection: Connection, database_id: str, updates: Sequence[StatusUpdate]) -> dict[str, _Attempt]:
    """Return the attempts of the wamids that come with a tracker of ours."""
    trackers = {
        update.wamid: update.tracker
        for update in updates
        if update.tracker is not None and update.tracker.database_id == database_id
    }
    row_ids = _rows(connection, _BY_ID, {tracker.message for tracker in trackers.values()})
    return {
        wamid: _Attempt(row_ids[tracker.message], tracker.resends)
        for wamid, tracker in trackers.items()
        if tracker.message in row_ids
    }


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


def _apply(
    connection: Connection,
    now: datetime,
    attempts: Mapping[str, _Attempt],
    tracked: Collection[str],
    updates: Sequence[StatusUpdate],
) -> list[Touch]:
    """Apply these statuses, and before them what is kept under the wamids that have trackers of ours."""
    stored = lock_messages(connection, {attempt.row_id for attempt in attempts.values()})
    early = take_early_reports(connection, tracked)
    new = (StatusReport(one.status, one.at, one.wamid, one.error, one.pricing) for one in updates)
    current = dict(stored)
    for report in (*(one for kept in early.values() for one in kept), *new):
        attempt = attempts.get(report.wamid or "")
        message = None if attempt is None else current.get(attempt.row_id)  # it may have been erased in between
        if attempt is not None and message is not None:
            current[attempt.row_id] = next_after_status(message, report, attempt.resends)
    update_messages(connection, now, [message for row_id, message in current.items() if message != stored[row_id]])
    rows = ((one, attempts[one.wamid].row_id) for one in updates if one.wamid in attempts)
    return [
        touch
        for one, row_id in rows
        if row_id in current
        for touch in touches_of_status(one, current[row_id], accepted_since(stored[row_id], current[row_id]))
    ]
