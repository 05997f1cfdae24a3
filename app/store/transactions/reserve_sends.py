"""Reserves messages for their POST, before any is sent: each is marked as being sent, and that is committed.

The lock on the number's queue is held, so that any number of workers share one pace. A claimed message that may not
be sent now is handed back; one that is `sending` was being sent when its worker died, and is not sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from app.domain.job import Job
from app.domain.message import SEND_QUEUE, HistoryEntry, Message, MessageStatus
from app.domain.scope_pause import PROBE_LEASE, ScopePause, scopes_of
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import EndedSend, Fault, Reserved, SendOutcome, is_suspect
from app.domain.send_plan import Candidate, ScopeGate, SendPlan, plan_sends, scope_gate
from app.domain.trace import TraceContext
from app.domain.tracker import FIELD, Tracker
from app.store.engine.one_of import one_of
from app.store.tables.jobs import release_jobs
from app.store.tables.message_schema import conversations, messages
from app.store.tables.messages import key_of_message, message_of, messages_with_bodies, update_messages
from app.store.tables.queues import lock_queues
from app.store.tables.schema import queues
from app.store.tables.scopes import lock_scopes, put_scope
from app.store.tables.sending import account_of, put_number, put_pairs, read_number, read_pairs
from app.store.tables.sending_schema import send_scopes
from app.store.tables.types import chunks
from app.store.transactions.claim_jobs import lock_held
from app.store.transactions.end_unsent import sort_out_ended
from app.store.transactions.hold_messages import hold_messages
from app.store.transactions.wake_held import wake_next

MAX_ENTRIES = 40
"""A message that is tried for long keeps the first entry of its history, and the last ones."""

MessageRow = Row[*tuple[Any, ...]]

_MESSAGES = messages_with_bodies().where(one_of(messages.c.id, "ids")).order_by(messages.c.id).with_for_update()
_SENT_SINCE = (
    select(conversations.c.contact)
    .where(
        conversations.c.phone_number_id == bindparam("number"),
        conversations.c.updated_at > bindparam("since"),
        conversations.c.last_outbound_at > bindparam("since"),
    )
    .limit(1)
)
_CHANGED_SINCE = (
    select(send_scopes.c.name)
    .where(one_of(send_scopes.c.name, "names"), send_scopes.c.since > bindparam("since"))
    .limit(1)
)
_REST = update(queues).where(queues.c.name == bindparam("queue")).values(rest_until=bindparam("rest_end"))


@dataclass(frozen=True)
class Reservations:
    """The claimed jobs, sorted. `reserved` are to be posted, `ended` are over; the others are handed back.

    `paused`: scopes that keep messages from being sent, and that the log does not have yet.
    """

    reserved: list[tuple[Job, Reserved]] = field(default_factory=list)
    ended: list[EndedSend] = field(default_factory=list)
    paused: list[ScopePause] = field(default_factory=list)


def reserve_sends(
    connection: Connection, now: datetime, claimed: Sequence[Job], limits: SendLimits, database_id: str
) -> Reservations:
    """Reserve as many of these jobs of one queue as may be sent now. The commit must be on disk before any POST."""
    [queue] = {job.queue for job in claimed}
    number = queue.removeprefix(SEND_QUEUE)
    owned, rows = _lock(connection, now, queue, claimed)
    if limits.waba_id is None:
        limits = replace(limits, waba_id=account_of(connection, number))
    outcomes, left = sort_out_ended(connection, now, owned, rows, limits)
    paused_scopes: list[str] = []
    if left:
        own_scopes = scopes_of(number, limits.waba_id)
        held, paused_scopes = hold_messages(connection, now, left, own_scopes, limits.waba_id)
        outcomes |= held
        left = {row_id: row for row_id, row in left.items() if row_id not in held}
    ended = [_ended(owned[row_id], rows.get(row_id), outcome) for row_id, outcome in outcomes.items()]
    if not left:
        return Reservations(ended=ended)
    gate, paused = _pass_scopes(connection, now, paused_scopes)
    plan = _plan(connection, now, number, [(owned[row_id], row) for row_id, row in left.items()], limits, gate)
    _store_plan(connection, number, queue, plan)
    granted = [(job, rows[row_id]) for row_id, job in owned.items() if job.id in plan.granted]
    update_messages(connection, now, [_sending(message_of(row), now) for _, row in granted])
    reserve = partial(_reserved, connection, now, plan=plan, gate=gate, limits=limits, database_id=database_id)
    return Reservations([(job, reserve(row)) for job, row in granted], ended, paused)


def _lock(
    connection: Connection, now: datetime, queue: str, claimed: Sequence[Job]
) -> tuple[dict[int, Job], dict[int, MessageRow]]:
    """Lock the queue, the claimed jobs and their messages. Return the jobs whose claim is held, and the messages.

    Both by the row ids of the messages. The message of a job is missing if it was erased. Held messages that wait
    behind these are woken.
    """
    lock_queues(connection, [queue])
    claims = lock_held(connection, claimed)
    owned = {job.subject: job for job in claimed if (job.id, job.claim_id) in claims}
    wake_next(connection, now, queue, list(owned.values()))
    found = (row for ids in chunks(sorted(owned)) for row in connection.execute(_MESSAGES, {"ids": ids}))
    return owned, {row.id: row for row in found}


def _ended(job: Job, row: MessageRow | None, outcome: SendOutcome) -> EndedSend:
    """Return a claimed job that is over without a POST, with its message if that is still there."""
    if row is None:
        return EndedSend(job, None, outcome)
    return EndedSend(job, message_of(row), outcome, TraceContext.unpack(row.trace))


def _pass_scopes(connection: Connection, now: datetime, names: Sequence[str]) -> tuple[ScopeGate, list[ScopePause]]:
    """Return what these paused scopes allow, and those that the log does not have yet. Most often none is paused."""
    if not names:
        return ScopeGate(), []
    stored = [pause for pause in lock_scopes(connection, names).values() if not pause.is_over]
    for pause in [pause.as_of(now) for pause in stored if pause.as_of(now).is_over]:
        put_scope(connection, pause)
    pauses = [pause for pause in stored if not pause.as_of(now).is_over]
    gate = scope_gate(pauses, now)
    unlogged = [pause for pause in pauses if not pause.is_logged]
    for pause in gate.probing or unlogged:
        put_scope(connection, replace(pause, is_logged=True))
    return gate, unlogged


def _plan(
    connection: Connection,
    now: datetime,
    number: str,
    claimed: Sequence[tuple[Job, MessageRow]],
    limits: SendLimits,
    gate: ScopeGate,
) -> SendPlan:
    candidates = [
        Candidate(
            job.id,
            row.contact,
            row.created_at,
            row.expires_at,
            is_suspect=gate.limit is not None and is_suspect(message_of(row)),
        )
        for job, row in claimed
    ]
    pairs = read_pairs(connection, number, (one.contact for one in candidates))
    return plan_sends(candidates, now, limits=limits, number=read_number(connection, number), pairs=pairs, gate=gate)


def _fault(connection: Connection, message: Message, scopes: Sequence[str]) -> Fault:
    """Return whose fault it is if Meta refuses this message again with an error that stops these scopes.

    What was in flight when it refused it last proves nothing: it may have been accepted before the scope was stopped.
    """
    if not is_suspect(message):
        return Fault.SCOPE
    sent_at = max(entry.at for entry in message.history if entry.status == MessageStatus.SENDING)
    since = {"number": message.phone_number_id, "since": sent_at + PROBE_LEASE}
    if connection.execute(_SENT_SINCE, since).first() is None:
        return Fault.SCOPE
    changed = connection.execute(_CHANGED_SINCE, {"names": scopes, "since": sent_at}).first()
    return Fault.MESSAGE if changed is None else Fault.OPEN


def _store_plan(connection: Connection, number: str, queue: str, plan: SendPlan) -> None:
    put_number(connection, number, plan.number)
    put_pairs(connection, number, plan.pairs)
    release_jobs(connection, plan.back)
    if plan.rest_until is not None:
        connection.execute(_REST, {"queue": queue, "rest_end": plan.rest_until})


def _sending(message: Message, now: datetime) -> Message:
    """Return the message while it is being sent. Each POST has an entry in its history."""
    first, *later = (*message.history, HistoryEntry(MessageStatus.SENDING, now))
    history = (first, *later[1 - MAX_ENTRIES :])
    return message._replace(status=MessageStatus.SENDING, history=history)


def _reserved(
    connection: Connection,
    now: datetime,
    row: MessageRow,
    *,
    plan: SendPlan,
    gate: ScopeGate,
    limits: SendLimits,
    database_id: str,
) -> Reserved:
    """Return what the POST of a message needs, and what is needed to learn from its answer about scopes and paces."""
    message, scopes = message_of(row), scopes_of(row.phone_number_id, limits.waba_id)
    key = key_of_message(message.id)
    assert key is not None, "a stored message has an id of ours"
    tracker = Tracker(database_id, key, message.resends)
    return Reserved(
        message=_sending(message, now),
        contact=row.contact,
        body=bytes(row.body).removesuffix(b"}") + f',"{FIELD}":"{tracker}"}}'.encode(),
        at=now,
        waba_id=limits.waba_id,
        probing=gate.probing,
        resets_pair=plan.pairs[row.contact].refusals > 0,
        fault=Fault.SCOPE if gate.probing else _fault(connection, message, scopes),
        trace=TraceContext.unpack(row.trace),
    )
