"""Selects the messages that a person decides about, step by step, by indexes: unknown ones, or queued ones."""

from collections.abc import Sequence

from sqlalchemy import Connection, Select, select

from app.domain.decision import Decision, MessageSelection
from app.domain.message import SEND_QUEUE, Message, MessageStatus
from app.store.tables.conversations import every_contact_number
from app.store.tables.message_schema import messages
from app.store.tables.messages import has_status, message_of, messages_without_bodies
from app.store.tables.schema import jobs, queues


def select_messages(
    connection: Connection, selection: MessageSelection, decision: Decision, after: int, limit: int
) -> tuple[list[Message], int | None]:
    """Return the next messages that the selection chooses, and the row after which the next step begins.

    It looks at `limit` rows at most. The second is None if there are no more.
    """
    if decision.about is MessageStatus.QUEUED:
        rows = _queued(connection, after, limit)
        query = _chosen(connection, selection).where(has_status(decision.about), messages.c.id.in_(rows))
        chosen = [message_of(row) for row in connection.execute(query)] if rows else []
        return chosen, rows[-1] if len(rows) == limit else None
    query = _chosen(connection, selection).where(has_status(decision.about), messages.c.id > after)
    chosen = [message_of(row) for row in connection.execute(query.limit(limit))]
    return chosen, chosen[-1].row_id if len(chosen) == limit else None


def _chosen(connection: Connection, selection: MessageSelection) -> Select[tuple[object, ...]]:
    query = messages_without_bodies().order_by(messages.c.id)
    if selection.contact is not None:
        query = query.where(messages.c.contact.in_(every_contact_number(connection, [selection.contact])))
    if selection.phone_number_id is not None:
        query = query.where(messages.c.phone_number_id == selection.phone_number_id)
    if selection.since is not None:
        query = query.where(messages.c.created_at >= selection.since)
    if selection.until is not None:
        query = query.where(messages.c.created_at < selection.until)
    return query


def _queued(connection: Connection, after: int, limit: int) -> Sequence[int]:
    """Return the next rows of messages that have a job, in their order."""
    numbers = connection.execute(select(queues.c.name).where(queues.c.name.startswith(SEND_QUEUE))).scalars().all()
    found: list[int] = []
    for queue in numbers:
        query = select(jobs.c.subject).where(jobs.c.queue == queue, jobs.c.subject > after)
        found += connection.execute(query.order_by(jobs.c.subject).limit(limit)).scalars()
    return sorted(found)[:limit]
