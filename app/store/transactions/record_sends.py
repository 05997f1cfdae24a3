"""Records what became of messages, in the transaction that settles their jobs: the messages, paces and paused scopes.

A result that says nothing of a POST comes from an internal error, before the POST or in the middle of it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from app.domain.job import Dead
from app.domain.job_result import JobResult
from app.domain.message import SEND_QUEUE, Message, MessageStatus
from app.domain.message_progress import StatusReport, next_after_status, next_message, without_refusal
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import graph_error
from app.domain.send_answer import Accepted
from app.domain.send_outcome import Reserved, SendOutcome, SendResult, refusal_of, touch_of_answer
from app.store.tables.messages import lock_messages, update_messages
from app.store.tables.schema import queues
from app.store.tables.sending import put_number, put_pairs, read_number, read_pairs
from app.store.transactions.apply_statuses import hold_status_lock, take_early_reports
from app.store.transactions.change_scopes import ScopeRefusal, change_scopes
from app.store.transactions.touch_conversations import touch_conversations
from app.store.transactions.wake_held import wake_settled

After = Callable[[Message, JobResult, datetime], Message]


def record_sends(connection: Connection, now: datetime, results: Sequence[JobResult]) -> None:
    """Record these results of jobs of send queues. Their queues are locked."""
    _, early = record_answers(connection, now, [(result, after_settling) for result in results])
    record_posts(connection, now, [result for result in results if isinstance(result, SendResult)], early)
    wake_settled(connection, now, results)


def record_answers(
    connection: Connection, now: datetime, results: Sequence[tuple[JobResult, After]]
) -> tuple[list[tuple[JobResult, Message]], list[ScopeRefusal]]:
    """Record these results, and the statuses that came before Meta's answers in them.

    With each result comes the function that returns its message as the result leaves it. Return the results that
    changed their messages, with these as they are afterwards, and what these statuses refuse of their content.
    """
    accepted = _accepted(result for result, _ in results)
    if accepted:
        hold_status_lock(connection, shared=True)
    stored = lock_messages(connection, {result.job.subject for result, _ in results})
    early = take_early_reports(connection, [wamid for answer, _ in accepted for wamid in answer.wamids])
    current, changing = dict(stored), []
    for result, after_result in results:
        if (before := current.get(result.job.subject)) is not None:
            current[before.row_id] = after_result(before, result, now)
            changing += [result] if current[before.row_id] != before else []
    refusals = []
    for answer, reserved in accepted:
        row_id, resends = reserved.message.row_id, reserved.message.resends
        for report in (one for wamid in answer.wamids for one in early.get(wamid, ()) if row_id in current):
            current[row_id] = next_after_status(current[row_id], report, resends)
            refusals += _refusals_of_content(reserved, report)
    update_messages(connection, now, [message for row_id, message in current.items() if message != stored[row_id]])
    rows = ((reserved.message.row_id, answer) for answer, reserved in accepted)
    answers = [(stored[row_id], answer) for row_id, answer in rows if row_id in stored]
    touch_conversations(connection, now, [touch_of_answer(message, answer, now) for message, answer in answers])
    return [(result, current[result.job.subject]) for result in changing], refusals


def _accepted(results: Iterable[JobResult]) -> list[tuple[Accepted, Reserved]]:
    """Return the answers that Meta has accepted messages, each with its message."""
    return [
        (result.send.accepted, result.reserved)
        for result in results
        if isinstance(result, SendResult) and result.send is not None and result.reserved is not None
        if result.send.accepted is not None
    ]


def _refusals_of_content(reserved: Reserved, report: StatusReport) -> list[ScopeRefusal]:
    """Return what a status refuses of a message's template, flow or marketing, if it does.

    It came before its message was known. What it refuses of a number or an account was recorded then.
    """
    error = graph_error(report.error) if report.status is MessageStatus.FAILED else None
    if error is None or not (rule := rule_in_status(error)).holds:
        return []
    refusal = refusal_of(error, rule, timedelta(), is_late=True)
    number = reserved.message.phone_number_id
    return [] if refusal is None else [ScopeRefusal(refusal, number, reserved.waba_id, report.at, reserved.sent)]


def after_settling(message: Message, result: JobResult, now: datetime) -> Message:
    """Return a message after its job was settled."""
    outcome = result.send if isinstance(result, SendResult) else None
    if outcome is None:
        return _after_internal_error(message, result, now)
    if outcome.status is MessageStatus.QUEUED:
        return _queued_again(message, outcome)
    if outcome.status is MessageStatus.EXPIRED and message.status is not MessageStatus.QUEUED:
        return message
    if outcome.accepted is not None:
        return after_acceptance(message, outcome.accepted, now)
    if outcome.status is message.status:
        return message
    if outcome.status is MessageStatus.UNKNOWN and message.status is not MessageStatus.SENDING:
        return message  # a status, or a late answer, has shown what became of it
    return next_message(message._replace(error=None), StatusReport(outcome.status, now, error=outcome.error))


def after_acceptance(message: Message, accepted: Accepted, now: datetime) -> Message:
    """Return a message that Meta has accepted, under one id or even under two."""
    status, contact = accepted.message_status, accepted.contact
    report = StatusReport(MessageStatus.ACCEPTED, now, accepted.wamid, meta_status=status, meta_contact=contact)
    message = next_message(without_refusal(message), report)
    if accepted.second_wamid is None:
        return message
    return next_message(message, replace(report, wamid=accepted.second_wamid))


def _queued_again(message: Message, outcome: SendOutcome) -> Message:
    """Return a message that is tried again, unless a status has said meanwhile what became of it."""
    if message.status is not MessageStatus.SENDING:
        return message
    return message._replace(status=MessageStatus.QUEUED, error=outcome.error)


def _after_internal_error(message: Message, result: JobResult, now: datetime) -> Message:
    """Return a message after an internal error. It changes only if its job is given up."""
    if not isinstance(result.outcome, Dead):
        return message
    if message.status is MessageStatus.SENDING:
        return next_message(message, StatusReport(MessageStatus.UNKNOWN, now))
    error = {"message": result.outcome.reason, "class": "other"}
    fresh = message._replace(error=None) if message.status is MessageStatus.QUEUED else message
    return next_message(fresh, StatusReport(MessageStatus.FAILED, now, error=error))


def record_posts(
    connection: Connection, now: datetime, results: Iterable[SendResult], early: Iterable[ScopeRefusal] = ()
) -> None:
    """Record what answers say about scopes and paces. Scopes come after messages, and before paces.

    `early`: what statuses have refused that came before their messages' answers.
    """
    posts = [
        (result.job.queue, result.reserved, result.send)
        for result in results
        if result.reserved is not None and result.send is not None
    ]
    refusals = [
        ScopeRefusal(send.refusal, queue.removeprefix(SEND_QUEUE), reserved.waba_id, reserved.at, reserved.sent)
        for queue, reserved, send in posts
        if send.refusal is not None
    ]
    working = [
        (queue, pause) for queue, reserved, send in posts if send.shows_that_scopes_work for pause in reserved.probing
    ]
    change_scopes(connection, now, [*refusals, *early], working={pause.name: pause for _, pause in working})
    for queue in sorted({queue for queue, _ in working}):
        connection.execute(update(queues).where(queues.c.name == queue).values(rest_until=None))
    for number in sorted({queue.removeprefix(SEND_QUEUE) for queue, _, _ in posts}):
        of_number = [(reserved, send) for queue, reserved, send in posts if queue == f"{SEND_QUEUE}{number}"]
        _record_paces(connection, now, number, of_number)


def _record_paces(
    connection: Connection, now: datetime, number: str, posts: Sequence[tuple[Reserved, SendOutcome]]
) -> None:
    if any(send.slows_number for _, send in posts):
        put_number(connection, number, read_number(connection, number).slowed(now))
    changing = {
        reserved.contact: send.slows_pair
        for reserved, send in posts
        if send.slows_pair or (reserved.resets_pair and send.accepted is not None)
    }
    if changing:
        pairs = read_pairs(connection, number, changing)
        changed = {
            contact: pair.refused(now) if changing[contact] else pair.accepted() for contact, pair in pairs.items()
        }
        put_pairs(connection, number, changed)
