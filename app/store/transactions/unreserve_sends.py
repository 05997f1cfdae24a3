"""Takes reservations back whose POST will certainly not be made, so that their messages do not become unknown."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from app.domain.job import Job
from app.domain.message import Message, MessageStatus
from app.domain.send_outcome import Reserved
from app.store.tables.messages import lock_messages, update_messages
from app.store.tables.queues import lock_queues
from app.store.transactions.claim_jobs import lock_held


def unreserve_sends(connection: Connection, now: datetime, reserved: Sequence[tuple[Job, Reserved]]) -> None:
    """Let these messages wait again, if their reservations are stored and their jobs are still claimed by us.

    A message that an earlier claim has marked as being sent stays so: it may have been sent.
    """
    lock_queues(connection, {job.queue for job, _ in reserved})
    held = lock_held(connection, [job for job, _ in reserved])
    ours = {job.subject: one.message for job, one in reserved if (job.id, job.claim_id) in held}
    stored = lock_messages(connection, ours)
    taken_back = [message for row_id, message in stored.items() if _is_same(message, ours[row_id])]
    update_messages(connection, now, [_waiting(message) for message in taken_back])


def _is_same(stored: Message, reserved: Message) -> bool:
    return stored.status is MessageStatus.SENDING and stored.history[-1] == reserved.history[-1]


def _waiting(message: Message) -> Message:
    return replace(message, status=MessageStatus.QUEUED, history=message.history[:-1])
