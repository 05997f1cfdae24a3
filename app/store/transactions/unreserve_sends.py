"""Takes back reservations whose POST will certainly not be made, so that their messages do not become unknown.

The worker may have lost its claim meanwhile. Then another worker has the job and has found the message being sent, or
it has already recorded the message as unknown and deleted the job.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, update

from app.domain.job import Job
from app.domain.message import Message
from app.domain.message_progress import is_cut_off, without_last_attempt
from app.domain.send_outcome import Reserved
from app.store.tables.jobs import find_jobs
from app.store.tables.messages import lock_messages, update_messages
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs
from app.store.transactions.claim_jobs import lock_held
from app.store.transactions.enqueue import NewJob, enqueue

_FREE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(claim_id=None, claims=0, due_at=bindparam("due"), attempts=bindparam("made"))
)


def unreserve_sends(connection: Connection, now: datetime, reserved: Sequence[tuple[Job, Reserved]]) -> None:
    """Queue these messages again, if their reservations are stored and no result of their POSTs is.

    A message stays as it is if an earlier claim has marked it as being sent: its POST may have been made.
    """
    lock_queues(connection, {job.queue for job, _ in reserved})
    held = lock_held(connection, [job for job, _ in reserved])
    by_row = {job.subject: (job, one.message) for job, one in reserved}
    stored = lock_messages(connection, by_row)
    taken_back = {row_id: message for row_id, message in stored.items() if is_cut_off(message, by_row[row_id][1])}
    update_messages(connection, now, [without_last_attempt(message) for message in taken_back.values()])
    lost = [
        (job, message, timedelta())
        for row_id, message in taken_back.items()
        if ((job := by_row[row_id][0]).id, job.claim_id) not in held
    ]
    queue_again(connection, now, lost)


def queue_again(connection: Connection, now: datetime, waiting: Sequence[tuple[Job, Message, timedelta]]) -> None:
    """Make these messages due after these delays. The caller has locked them, and those of their jobs that exist.

    If another worker has claimed a job, undo its claim: it would record the message as unknown. A delayed job counts
    one more attempt: a job without attempts that is due later looks as if the clock was set back.
    """
    for job, message, delay in waiting:
        made = job.attempts + 1 if delay else job.attempts
        if job.id in find_jobs(connection, {job.queue: [message.row_id]}):
            connection.execute(_FREE, {"job_id": job.id, "due": now + delay, "made": made})
        else:
            enqueue(connection, now, [NewJob(job.queue, message.row_id, message.contact, delay, attempts=made)])
