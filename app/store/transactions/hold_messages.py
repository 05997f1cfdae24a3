"""Holds back the messages of a template, a flow or a kind of marketing that Meta has paused, and lets them go on.

A held message leaves the order of its customer: it may wait for long, and holds up no other. It is looked at again
when the pause ends, or now and then if no time ends it, and when its scope is resumed: thousands of them take
no place of those that may be sent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from app.domain.content_scope import (
    MARKETING,
    Content,
    Sent,
    content_of,
    conversation_scope,
)
from app.domain.job import Done, Retry
from app.domain.message import SEND_QUEUE, MessageStatus, name_sent_to
from app.domain.meta.account_state import INITIATED, REPLIES
from app.domain.scope_pause import ScopePause
from app.domain.send_outcome import SendOutcome
from app.domain.window import Window
from app.store.tables.conversations import Party, last_inbound
from app.store.tables.jobs import lock_jobs
from app.store.tables.queues import lock_queues
from app.store.tables.schema import jobs, queues
from app.store.tables.sending import read_scopes
from app.store.tables.types import chunks

MIN_HOLD, MAX_HOLD = timedelta(minutes=10), timedelta(hours=1)
"""Between these a message is held for as long as its scope is paused already, if no time ends the pause."""
WITH_CONTENT = ("template", "interactive")

MessageRow = Row[*tuple[Any, ...]]


def sent_as(row: MessageRow, account: str | None) -> Sent:
    """Return a message, as a row with its body, as its scopes see it."""
    content = content_of(bytes(row.body)) if row.type in WITH_CONTENT else Content()
    return Sent(account or row.phone_number_id, row.phone_number_id, row.contact, row.endpoint, content)


def hold_messages(
    connection: Connection, now: datetime, rows: Mapping[int, MessageRow], scopes: Sequence[str], account: str | None
) -> tuple[dict[int, SendOutcome], list[str]]:
    """Return what becomes of the messages that a paused scope of their content holds back; and which scopes of their
    number, `scopes`, are paused. One statement finds all of it."""
    names = {row_id: sent_as(row, account).every_name for row_id, row in rows.items()}
    kinds = [] if account is None else [f"{INITIATED}{account}", f"{REPLIES}{account}"]
    paused = read_scopes(
        connection, sorted({*scopes, *kinds, *(name for of_row in names.values() for name in of_row)})
    )
    limited = {name for name in kinds if name in paused and paused[name].holds(now)}
    if limited and account is not None:
        for row_id, name in _conversations(connection, now, rows, account).items():
            names[row_id] |= {name} & limited
    held = {}
    for row_id, row in rows.items():
        pauses = [paused[name] for name in sorted(names[row_id]) if name in paused and paused[name].holds(now)]
        if pauses:
            held[row_id] = _outcome(row, pauses[0], now)
    return held, [name for name in scopes if name in paused]


def party_of(row: MessageRow) -> Party:
    """Return the number that sends a message, and the name of the contact that it goes to."""
    return row.phone_number_id, (name_sent_to(row.recipient_to, row.recipient),)


def _conversations(
    connection: Connection, now: datetime, rows: Mapping[int, MessageRow], account: str
) -> dict[int, str]:
    """Return for each message the scope of those whose conversation the same side has begun."""
    times = last_inbound(connection, [party_of(row) for row in rows.values()])
    return {
        row_id: conversation_scope(account, Window(at), now, is_exempt=row.window_exempt)
        for (row_id, row), at in zip(rows.items(), times, strict=True)
    }


def wake_held(connection: Connection, now: datetime) -> None:
    """Let held messages be looked at again at once."""
    names = sorted(lock_queues(connection, send_queues(connection)))
    if not names:
        return
    is_held = jobs.c.order_key.is_(None) & jobs.c.claim_id.is_(None) & (jobs.c.due_at > now)
    found = connection.execute(select(jobs.c.id).where(jobs.c.queue.in_(names), is_held)).scalars().all()
    for ids in chunks([job.id for job in lock_jobs(connection, found)]):
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(due_at=now))


def send_queues(connection: Connection) -> Sequence[str]:
    """Return the queues of all numbers."""
    return connection.execute(select(queues.c.name).where(queues.c.name.startswith(SEND_QUEUE))).scalars().all()


def _outcome(row: MessageRow, pause: ScopePause, now: datetime) -> SendOutcome:
    """Hold a message, or let it fail: marketing that would come too late anyway."""
    ends_at = pause.until
    if pause.name.startswith(MARKETING) and (ends_at is None or ends_at >= row.expires_at):
        error = {"code": pause.code, "message": pause.reason, "class": pause.error_class.value}
        return SendOutcome(MessageStatus.FAILED, Done(), error)
    looked_at = min(row.expires_at, _held_until(pause, now))
    return SendOutcome(MessageStatus.QUEUED, Retry(max(timedelta(), looked_at - now), keeps_order=False))


def _held_until(pause: ScopePause, now: datetime) -> datetime:
    """Return when a held message is looked at again. One of a conversation may belong to another scope by then."""
    if pause.name.startswith((INITIATED, REPLIES)):
        return min(now + MIN_HOLD, pause.until or now + MIN_HOLD)
    return pause.until or now + min(max(now - pause.since, MIN_HOLD), MAX_HOLD)
