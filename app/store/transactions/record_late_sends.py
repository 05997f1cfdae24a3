"""Records answers whose claim was lost: the worker stood still, or did not reach the database, until its lease ended.

Meanwhile another worker has found that the message was being sent, and records or has recorded it as unknown. The
late answer still shows what became of it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from app.domain.job import Retry
from app.domain.job_result import JobResult
from app.domain.message import Message, MessageStatus
from app.domain.message_progress import StatusReport, is_cut_off, next_message
from app.domain.send_outcome import Reserved, SendOutcome, SendResult
from app.store.transactions.record_sends import after_acceptance, after_settling, record_answers, record_posts
from app.store.transactions.unreserve_sends import queue_again
from app.store.transactions.wake_held import wake_settled


def record_late_sends(
    connection: Connection, now: datetime, results: Sequence[JobResult], late: Sequence[JobResult]
) -> None:
    """Record these results, and from the `late` ones what is not known yet about their POSTs.

    The queues and the jobs are locked.
    """
    answers = [result for result in late if isinstance(result, SendResult) and result.outlives_claim]
    both = [*((result, after_settling) for result in results), *((result, _after_late_answer) for result in answers)]
    changed, early = record_answers(connection, now, both)
    of_late = {id(result) for result in answers}
    changed_late = [(result, message) for result, message in changed if id(result) in of_late]
    valid = [result for result in results if isinstance(result, SendResult)]
    posts = [*valid, *(result for result, _ in changed_late if isinstance(result, SendResult))]
    record_posts(connection, now, posts, early)
    waiting = [
        (result.job, message, result.outcome.delay)
        for result, message in changed_late
        if isinstance(result.outcome, Retry) and message.status is MessageStatus.QUEUED
    ]
    queue_again(connection, now, waiting)
    wake_settled(connection, now, results)


def _after_late_answer(message: Message, result: JobResult, now: datetime) -> Message:
    assert isinstance(result, SendResult)
    assert result.send is not None
    assert result.reserved is not None
    if result.send.accepted is not None:
        return _accepted(message, result.send, result.reserved, now)
    if not is_cut_off(message, result.reserved.message) or result.send.status is MessageStatus.UNKNOWN:
        return message
    if result.send.status is MessageStatus.QUEUED:
        return message._replace(status=MessageStatus.QUEUED, error=result.send.error)
    return next_message(message._replace(error=None), StatusReport(result.send.status, now, error=result.send.error))


def _accepted(message: Message, send: SendOutcome, reserved: Reserved, now: datetime) -> Message:
    """Return a message that Meta has accepted. If an operator has sent it again meanwhile, the wamid is another's."""
    assert send.accepted is not None
    if message.resends == reserved.message.resends:
        return after_acceptance(message, send.accepted, now)
    return next_message(message, StatusReport(MessageStatus.ACCEPTED, now))
