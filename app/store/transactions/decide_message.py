"""What a person decides about a message: it is cancelled while it waits; an unknown one failed, or is sent again.

The lock on the number's queue keeps workers from claiming its job meanwhile.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete

from app.domain.message import HistoryEntry, Message, MessageStatus, queue_of_number
from app.domain.message_progress import News, after
from app.store.tables.jobs import find_jobs, lock_jobs
from app.store.tables.messages import lock_messages, update_messages
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs
from app.store.transactions.enqueue import NewJob, enqueue, promote_next


def cancel_message(connection: Connection, now: datetime, message: Message) -> Message:
    """Cancel the message if it is queued and no worker has claimed it, and return it as it is then."""
    queue = queue_of_number(message.phone_number_id)
    lock_queues(connection, [queue])
    locked = lock_jobs(connection, find_jobs(connection, {queue: [message.row_id]}))
    current = lock_messages(connection, [message.row_id]).get(message.row_id, message)
    is_claimed = any(job.claim_id is not None and job.due_at > now for job in locked)
    if current.status != MessageStatus.QUEUED or is_claimed:
        return current
    connection.execute(delete(jobs).where(jobs.c.id.in_([job.id for job in locked])))
    promote_next(connection, now, {(queue, job.order_key) for job in locked})
    return _changed(connection, now, current, after(current, News(MessageStatus.CANCELLED, now)))


def resolve_as_failed(connection: Connection, now: datetime, message: Message) -> Message:
    """Let an unknown message fail, and return it as it is then."""
    current = lock_messages(connection, [message.row_id]).get(message.row_id, message)
    if current.status != MessageStatus.UNKNOWN:
        return current
    return _changed(connection, now, current, after(current, News(MessageStatus.FAILED, now)))


def send_again(connection: Connection, now: datetime, message: Message) -> Message:
    """Queue an unknown message again, under a new tracker, and return it as it is then."""
    queue = queue_of_number(message.phone_number_id)
    lock_queues(connection, [queue])
    current = lock_messages(connection, [message.row_id]).get(message.row_id, message)
    if current.status != MessageStatus.UNKNOWN:
        return current
    enqueue(connection, now, [NewJob(queue, message.row_id, current.contact)])
    again = replace(
        current,
        status=MessageStatus.QUEUED,
        resends=current.resends + 1,
        wamid=None,
        history=(*current.history, HistoryEntry(MessageStatus.QUEUED, now)),
        expires_at=now + (current.expires_at - current.created_at),
    )
    return _changed(connection, now, current, again)


def _changed(connection: Connection, now: datetime, before: Message, message: Message) -> Message:
    if message != before:
        update_messages(connection, now, [message])
    return replace(message, updated_at=now)
