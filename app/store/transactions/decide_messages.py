"""Carries out decisions of people: queued messages are cancelled or made unknown, unknown ones failed or sent again.

The locks on the numbers' queues keep workers from claiming jobs meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.domain.decision import Decision
from app.domain.message import HistoryEntry, Message, MessageStatus, name_sent_to, queue_of_number
from app.domain.message_progress import StatusReport, next_message
from app.store.tables.conversations import read_links
from app.store.tables.jobs import find_jobs, lock_jobs
from app.store.tables.messages import lock_messages, update_messages
from app.store.tables.queues import lock_queues
from app.store.transactions.enqueue import NewJob, delete_jobs, enqueue

STATUS_AFTER = {
    Decision.FAILED: MessageStatus.FAILED,
    Decision.CANCELLED: MessageStatus.CANCELLED,
    Decision.UNKNOWN: MessageStatus.UNKNOWN,
}


def decide_messages(
    connection: Connection, now: datetime, chosen: Sequence[Message], decision: Decision, lifetime: timedelta
) -> list[Message]:
    """Change those messages that the decision is about, and return all of them as they are afterwards, in this order.

    A message that is sent again gets this `lifetime`, however often it was sent before. A queued message that a
    worker has claimed stays as it is.
    """
    by_queue = defaultdict(list)
    for message in chosen:
        by_queue[queue_of_number(message.phone_number_id)].append(message.row_id)
    lock_queues(connection, by_queue)
    is_about_queued = decision.about is MessageStatus.QUEUED
    locked = lock_jobs(connection, find_jobs(connection, by_queue)) if is_about_queued else []
    current = lock_messages(connection, (message.row_id for message in chosen))
    claimed = {job.subject for job in locked if job.claim_id is not None and job.due_at > now}
    changing = [
        message for row_id, message in current.items() if message.status is decision.about and row_id not in claimed
    ]
    about_changing = {message.row_id for message in changing}
    delete_jobs(connection, now, [job for job in locked if job.subject in about_changing])
    changed = {message.row_id: _decided(message, decision, now, lifetime) for message in changing}
    if decision is Decision.RESEND:
        enqueue(connection, now, _jobs_of(connection, changed.values()))
    update_messages(connection, now, changed.values())
    return [_as_it_is(message, current, changed, now) for message in chosen]


def _jobs_of(connection: Connection, messages: Collection[Message]) -> list[NewJob]:
    """Return the jobs of messages that are sent again. Each stays behind those of its customer's former names."""
    links = read_links(connection, [name_sent_to(message.to, message.recipient) for message in messages])
    return [
        NewJob(
            queue_of_number(message.phone_number_id),
            message.row_id,
            message.contact,
            former_keys=links.former.get(message.contact, ()),
        )
        for message in messages
    ]


def _decided(message: Message, decision: Decision, now: datetime, lifetime: timedelta) -> Message:
    if decision is Decision.RESEND:
        return _again(message, now, lifetime)
    return next_message(message, StatusReport(STATUS_AFTER[decision], now))


def _again(message: Message, now: datetime, lifetime: timedelta) -> Message:
    """Return an unknown message that is queued again, under a new tracker."""
    return message._replace(
        status=MessageStatus.QUEUED,
        resends=message.resends + 1,
        wamid=None,
        history=(*message.history, HistoryEntry(MessageStatus.QUEUED, now)),
        expires_at=now + lifetime,
    )


def _as_it_is(message: Message, current: dict[int, Message], changed: dict[int, Message], now: datetime) -> Message:
    if message.row_id in changed:
        return changed[message.row_id]._replace(updated_at=now)
    return current.get(message.row_id, message)  # it may have been erased in between
