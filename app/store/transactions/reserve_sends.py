"""Reserves messages for their POST, before anything leaves: each is marked as being sent, and that is committed.

The lock on the number's queue is held, so that any number of workers share one pace. A claimed message that may not
be sent now is handed back; one that stands at `sending` was being sent when its worker died, and is not sent again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from app.domain.clock import MAX_HELD_BACK
from app.domain.job import Done, Job
from app.domain.message import SEND_QUEUE, HistoryEntry, Message, MessageStatus
from app.domain.scope_pause import PROBE_LEASE, ScopePause, scopes_of
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import EndedSend, Reserved, SendOutcome, is_suspect
from app.domain.send_plan import Candidate, ScopeGate, SendPlan, plan_sends, scope_gate
from app.domain.tracker import FIELD, Tracker
from app.domain.window import WINDOW_CLOSED, Window
from app.store.tables.clock import read_trust
from app.store.tables.conversations import last_inbound
from app.store.tables.message_schema import conversations, messages
from app.store.tables.messages import key_of_message, message_of, update_messages
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs, queues
from app.store.tables.sending import lock_scopes, put_number, put_pairs, put_scope, read_number, read_pairs
from app.store.tables.types import chunks
from app.store.transactions.claim_jobs import lock_held
from app.store.transactions.hold_messages import hold_messages, party_of

MAX_ENTRIES = 40
"""A message that is tried for long keeps the first entry of its history, and the last ones."""

BY_CLOCK = (MessageStatus.EXPIRED, MessageStatus.FAILED)
"""How a queued message ends because it is late: it has expired, or its customer service window is closed."""

MessageRow = Row[*tuple[Any, ...]]

_MESSAGES = (
    select(messages)
    .where(messages.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(messages.c.id)
    .with_for_update()
)
_HAND_BACK = (
    update(jobs).where(jobs.c.id == bindparam("job_id")).values(claim_id=None, claims=0, due_at=bindparam("due"))
)
_SENT_SINCE = (
    select(conversations.c.contact)
    .where(
        conversations.c.phone_number_id == bindparam("number"),
        conversations.c.updated_at > bindparam("since"),
        conversations.c.last_outbound_at > bindparam("since"),
    )
    .limit(1)
)
_REST = update(queues).where(queues.c.name == bindparam("queue")).values(rest_until=bindparam("rest_end"))


@dataclass(frozen=True)
class Reservations:
    """What became of claimed jobs. `reserved` are to be posted, `ended` are over; the others are handed back.

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
    lock_queues(connection, [queue])
    claims = lock_held(connection, claimed)
    owned = {job.subject: job for job in claimed if (job.id, job.claim_id) in claims}
    rows = _lock_messages(connection, owned)
    ended, left = _sort_out(connection, now, owned, rows, limits)
    result = Reservations(ended=_ended(owned, rows, ended))
    if not left:
        return result
    held, paused_scopes = hold_messages(connection, now, left, scopes_of(number, limits.waba_id), limits.waba_id)
    left = {row_id: row for row_id, row in left.items() if row_id not in held}
    result.ended.extend(_ended(owned, rows, held))
    if not left:
        return result
    gate, paused = _pass_scopes(connection, now, paused_scopes)
    plan = _plan(connection, now, number, [(owned[row_id], row) for row_id, row in left.items()], limits, gate)
    _store_plan(connection, number, queue, plan)
    granted = [(job, rows[row_id]) for row_id, job in owned.items() if job.id in plan.granted]
    update_messages(connection, now, [_sending(message_of(row), now) for _, row in granted])
    reserved = [
        (
            job,
            replace(
                _reserved(row, now, limits, database_id),
                is_probe=gate.limit is not None,
                resets_pair=plan.pairs[row.contact].refusals > 0,
                works_for_others=gate.limit is None and _works_for_others(connection, message_of(row)),
            ),
        )
        for job, row in granted
    ]
    return replace(result, reserved=reserved, paused=paused)


def _sort_out(
    connection: Connection,
    now: datetime,
    owned: Mapping[int, Job],
    rows: Mapping[int, MessageRow],
    limits: SendLimits,
) -> tuple[dict[int, SendOutcome | None], dict[int, MessageRow]]:
    """Return how messages end without a POST, and those that are to be sent. What a doubted clock ends is neither."""
    windows = _windows(connection, rows.values()) if limits.window_policy == "enforce" else {}
    ended = {row_id: _ending(rows.get(row_id), windows, limits, now) for row_id in owned}
    left = {row_id: row for row_id, row in rows.items() if ended[row_id] is None}
    late = [row_id for row_id, outcome in ended.items() if outcome is not None and outcome.status in BY_CLOCK]
    waiting = [row_id for row_id in late if rows[row_id].status == MessageStatus.QUEUED]
    for row_id in _held_back(connection, now, [owned[row_id] for row_id in waiting]):
        del ended[row_id]
    return ended, left


def _ended(
    owned: Mapping[int, Job], rows: Mapping[int, MessageRow], outcomes: Mapping[int, SendOutcome | None]
) -> list[EndedSend]:
    """Return the claimed jobs that are over without a POST, each with the id of its message, if it is still there."""
    return [
        EndedSend(owned[row_id], message_of(rows[row_id]).id if row_id in rows else None, outcome)
        for row_id, outcome in outcomes.items()
        if outcome is not None
    ]


def _lock_messages(connection: Connection, row_ids: Sequence[int] | dict[int, Job]) -> dict[int, MessageRow]:
    return {row.id: row for ids in chunks(sorted(row_ids)) for row in connection.execute(_MESSAGES, {"ids": ids})}


def _windows(connection: Connection, rows: Iterable[MessageRow]) -> dict[int, Window]:
    """Return the window of each message's customer, by the message's row id.

    The customer may have written under another of their names, which was linked after the message was accepted.
    """
    bound = [row for row in rows if not row.window_exempt]
    times = last_inbound(connection, [party_of(row) for row in bound])
    return {row.id: Window(at) for row, at in zip(bound, times, strict=True)}


def _ending(
    row: MessageRow | None, windows: dict[int, Window], limits: SendLimits, now: datetime
) -> SendOutcome | None:
    """Return how a claimed message ends without a POST; None if it is to be sent. No row: it was erased."""
    if row is None:
        return SendOutcome(MessageStatus.CANCELLED, Done())
    if row.status == MessageStatus.SENDING:
        return SendOutcome(MessageStatus.UNKNOWN, Done())
    if row.status != MessageStatus.QUEUED:
        return SendOutcome(MessageStatus(row.status), Done())
    if now >= row.expires_at:
        return SendOutcome(MessageStatus.EXPIRED, Done())
    window = windows.get(row.id, Window(None))
    if window.forbids(limits.window_policy, now, is_exempt=row.window_exempt):
        return SendOutcome(MessageStatus.FAILED, Done(), dict(WINDOW_CLOSED))
    return None


def _held_back(connection: Connection, now: datetime, late: Sequence[Job]) -> list[int]:
    """Hand back what would end on the word of a clock that is doubted. Return the rows of these messages."""
    if not late or read_trust(connection).holds(now):
        return []
    connection.execute(_HAND_BACK, [{"job_id": job.id, "due": now + MAX_HELD_BACK} for job in late])
    return [job.subject for job in late]


def _pass_scopes(connection: Connection, now: datetime, names: Sequence[str]) -> tuple[ScopeGate, list[ScopePause]]:
    """Return what these paused scopes allow, and those that the log does not have yet. Most often none is paused."""
    if not names:
        return ScopeGate(), []
    pauses = [pause for pause in lock_scopes(connection, names).values() if not pause.is_over]
    gate = scope_gate(pauses, now)
    untold = [pause for pause in pauses if not pause.is_told]
    for pause in gate.probing or untold:
        put_scope(connection, replace(pause, is_told=True))
    return gate, untold


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


def _works_for_others(connection: Connection, message: Message) -> bool:
    """Return whether Meta has accepted messages of the number since it refused this one with an error of a scope.

    What was in flight then proves nothing: it may have been accepted before the scope was stopped.
    """
    if not is_suspect(message):
        return False
    sent_at = max(entry.at for entry in message.history if entry.status == MessageStatus.SENDING)
    since = {"number": message.phone_number_id, "since": sent_at + PROBE_LEASE}
    return connection.execute(_SENT_SINCE, since).first() is not None


def _store_plan(connection: Connection, number: str, queue: str, plan: SendPlan) -> None:
    put_number(connection, number, plan.number)
    put_pairs(connection, number, plan.pairs)
    if plan.back:
        connection.execute(_HAND_BACK, [{"job_id": job_id, "due": due} for job_id, due in sorted(plan.back.items())])
    if plan.rest_until is not None:
        connection.execute(_REST, {"queue": queue, "rest_end": plan.rest_until})


def _sending(message: Message, now: datetime) -> Message:
    """Return the message while it is being sent. Each POST has an entry in its history."""
    first, *later = (*message.history, HistoryEntry(MessageStatus.SENDING, now))
    history = (first, *later[1 - MAX_ENTRIES :])
    return replace(message, status=MessageStatus.SENDING, history=history)


def _reserved(row: MessageRow, now: datetime, limits: SendLimits, database_id: str) -> Reserved:
    message = message_of(row)
    key = key_of_message(message.id)
    assert key is not None, "a stored message has an id of ours"
    tracker = Tracker(database_id, key, message.resends)
    body = bytes(row.body).removesuffix(b"}") + f',"{FIELD}":"{tracker}"}}'.encode()
    return Reserved(_sending(message, now), row.contact, body, now, limits.waba_id)
