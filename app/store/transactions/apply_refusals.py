"""Applies what webhooks say about sending: an error or a ban slows a number, or pauses a scope.

The message of such an error has failed, and is not sent again. A part of splitting: paces are changed right after the
lock on the queues of their numbers, and scopes after messages.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.domain.event import NewEvent
from app.domain.message import queue_of_number
from app.domain.meta.account_state import may_send
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import ErrorClass, ErrorScope, GraphError, errors_of_item, graph_error
from app.domain.scope_pause import Refusal
from app.domain.send_outcome import is_pace_of_number, refusal_of
from app.store.tables.queues import ensure_queues, lock_queues
from app.store.tables.sending import put_number, put_pairs, read_number, read_pairs, read_scopes
from app.store.transactions.change_scopes import ScopeRefusal, change_scopes
from app.store.transactions.content_refusals import (
    content_changes,
    may_end_a_pause,
    refusals_of_content,
    written_to_too_often,
)
from app.store.transactions.hold_messages import send_queues, wake_held

BANNED = Refusal(
    ErrorClass.STOPPED,
    ErrorScope.WABA,
    0,
    "Meta has disabled or deleted the account; see WhatsApp Manager, Account quality",
    is_late=True,
)

ABOUT_SENDING = ("message.status.failed", "error")
"""Types of events whose errors are about sending."""


def change_paces(connection: Connection, now: datetime, events: Sequence[NewEvent], account: str | None) -> None:
    """Slow down what Meta finds too fast, numbers and pairs, and wake held messages whose scope Meta has released."""
    fast = {number for number, _, error in _errors(events) if is_pace_of_number(rule_in_status(error))}
    fast_pairs = written_to_too_often(connection, events)
    going_on = _ended_pauses(connection, now, events, account)
    if not (fast or fast_pairs or going_on):
        return
    queues = {queue_of_number(number) for number in fast | {number for number, _ in fast_pairs}}
    ensure_queues(connection, queues)
    lock_queues(connection, queues | (set(send_queues(connection)) if going_on else set()))
    if going_on:
        wake_held(connection, now, going_on)
    for number in sorted(fast):
        put_number(connection, number, read_number(connection, number).slowed(now))
    for number, contact in sorted(fast_pairs):
        pairs = read_pairs(connection, number, [contact])
        put_pairs(connection, number, {contact: pairs[contact].refused(now)})


def _ended_pauses(
    connection: Connection, now: datetime, events: Sequence[NewEvent], account: str | None
) -> list[str]:
    """Return the paused scopes that Meta has released. Most approvals are of templates that were never paused."""
    if not any(may_end_a_pause(event) for event in events):
        return []
    _, going_on = content_changes(connection, now, events, account)
    paused = read_scopes(connection, sorted(going_on))
    return [name for name, pause in paused.items() if pause.reinstated(going_on[name]).is_over]


def pause_scopes(connection: Connection, now: datetime, events: Sequence[NewEvent], account: str | None) -> None:
    """Pause the scopes of these errors, and the account if Meta has banned it and not reinstated it since.

    `account`: the account of all numbers; None if they have several.
    """
    may_send_at = {
        event.occurred_at: may
        for event in events
        if event.waba_id == account and (may := may_send(event)) is not None
    }
    bans = [ScopeRefusal(BANNED, "", account, at) for at, may in may_send_at.items() if not may]
    reinstated = {f"waba:{account}": max(may_send_at)} if may_send_at and may_send_at[max(may_send_at)] else {}
    refusals = [
        ScopeRefusal(refusal, number, account, at)
        for number, at, error in _errors(events)
        if not rule_in_status(error).holds
        and (refusal := refusal_of(error, rule_in_status(error), timedelta(), is_late=True)) is not None
    ]
    stopped, going_on = content_changes(connection, now, events, account)
    of_content = [*refusals_of_content(connection, events, account), *stopped]
    every = [*refusals, *of_content, *([] if reinstated else bans)]
    change_scopes(connection, now, every, reinstated={**reinstated, **going_on})


def _errors(events: Iterable[NewEvent]) -> Iterator[tuple[str, datetime, GraphError]]:
    """Yield each error about sending, with the phone number id and the time by Meta's clock."""
    for event in events:
        if event.type in ABOUT_SENDING and event.phone_number_id is not None:
            alone = graph_error(event.raw) if event.type == "error" else None
            for error in errors_of_item(event.raw) if alone is None else [alone]:
                yield event.phone_number_id, event.occurred_at, error
