"""Changes of messages that are to become events, as rows and back.

They are written with the message, in one transaction, and only those of statuses whose events were asked for.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, delete, func, insert, select

from app.domain.compact_json import compact_json
from app.domain.message import HistoryEntry, Message, MessageStatus
from app.domain.outbound_event import MessageChange, changes_of
from app.domain.trace import TraceContext
from app.store.tables.events import id_of, key_of
from app.store.tables.message_schema import message_changes, messages
from app.store.tables.types import chunks

T = TypeVar("T")

RECORDED = "wats_recorded_statuses"
"""The execution option of a connection that names the statuses to record."""

_IS_KNOWN = message_changes.c.status.in_([status.value for status in MessageStatus])
"""A status of newer code stays until such code runs again. It keeps no other change from becoming an event."""

_PENDING = (
    select(message_changes, messages.c.trace)
    .outerjoin(messages, messages.c.id == message_changes.c.message)
    .where(_IS_KNOWN)
    .order_by(message_changes.c.id)
)


def recording(work: Callable[[Connection], T], statuses: frozenset[MessageStatus]) -> Callable[[Connection], T]:
    """Return work on whose connection the changes of messages to these statuses are recorded."""
    if not statuses:
        return work
    return lambda connection: work(connection.execution_options(**{RECORDED: statuses}))


def recorded_statuses(connection: Connection) -> frozenset[MessageStatus]:
    """Return the statuses whose changes are recorded: those whose events are asked for, often none."""
    recorded: frozenset[MessageStatus] = connection.get_execution_options().get(RECORDED, frozenset())
    return recorded


def record_changes(
    connection: Connection, histories: Mapping[int, Iterable[HistoryEntry]], changed: Iterable[Message]
) -> None:
    """Record what is new about these messages. `histories`: those before, by row."""
    recorded = recorded_statuses(connection)
    rows = [
        _row(message, change)
        for message in changed
        for change in changes_of(histories.get(message.row_id, ()), message, recorded)
    ]
    if rows:
        connection.execute(insert(message_changes), rows)


def has_pending_changes(connection: Connection) -> bool:
    """Return whether a change is to become an event."""
    return connection.execute(select(message_changes.c.id).where(_IS_KNOWN).limit(1)).first() is not None


def unreadable_changes(connection: Connection) -> dict[str, int]:
    """Return how many changes have a status of newer code, by status."""
    query = select(message_changes.c.status, func.count()).where(~_IS_KNOWN).group_by(message_changes.c.status)
    return dict(connection.execute(query).all())


def pending_changes(connection: Connection, limit: int) -> dict[int, MessageChange]:
    """Return the next changes, in their order, by row."""
    return {row.id: _change(row) for row in connection.execute(_PENDING.limit(limit))}


def delete_changes_of(connection: Connection, of_messages: Sequence[int]) -> None:
    """Delete the changes of these messages, which are locked."""
    for ids in chunks(sorted(of_messages)):
        query = select(message_changes.c.id).where(message_changes.c.message.in_(ids))
        locked = connection.execute(query.order_by(message_changes.c.id).with_for_update()).scalars().all()
        for rows in chunks(locked):
            connection.execute(delete(message_changes).where(message_changes.c.id.in_(rows)))


def _row(message: Message, change: MessageChange) -> dict[str, Any]:
    return {
        "message": message.row_id,
        "event_id": key_of(change.event_id),
        "status": change.status.value,
        "at": change.at,
        "phone_number_id": change.phone_number_id,
        "data": compact_json(change.data).encode("ascii"),
    }


def _change(row: Row[*tuple[Any, ...]]) -> MessageChange:
    return MessageChange(
        event_id=id_of(row.event_id),
        status=MessageStatus(row.status),
        at=row.at,
        phone_number_id=row.phone_number_id,
        data=json.loads(bytes(row.data)),
        trace=TraceContext.unpack(row.trace),
    )
