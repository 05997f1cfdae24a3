"""Applies what webhooks say about sending: an error or a ban slows a number, or pauses a scope.

The message of such an error has failed, and is not sent again. A part of splitting: paces are changed right after the
lock on the queues of their numbers, and scopes after messages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.domain.event import NewEvent
from app.domain.message import queue_of_number
from app.domain.meta.account_state import may_send
from app.domain.meta.graph_error_table import rule_in_status
from app.domain.meta.graph_errors import ErrorClass, ErrorScope, GraphError, errors_of_item, graph_error
from app.domain.scope_pause import STALE, Refusal
from app.domain.send_outcome import is_pace_of_number, refusal_of
from app.store.tables.queues import ensure_queues, lock_queues
from app.store.tables.scopes import read_scopes
from app.store.tables.sending import put_accounts, put_number, put_pairs, read_accounts, read_number, read_pairs
from app.store.transactions.change_scopes import ScopeRefusal, change_scopes
from app.store.transactions.content_refusals import (
    content_changes,
    may_end_a_pause,
    refusals_of_content,
    written_to_too_often,
)
from app.store.transactions.wake_held import end_rests, send_queues, wake_held

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
    """Slow down what Meta finds too fast, numbers and pairs, and wake held messages whose scope Meta has released.

    `account`: the account of all numbers; None if they have several. Then the account of each number is stored.
    """
    fast = {
        event.phone_number_id or "" for event, error in _errors(events) if is_pace_of_number(rule_in_status(error))
    }
    fast_pairs = written_to_too_often(connection, events)
    going_on = _ended_pauses(connection, now, events)
    is_reinstated = any(may_send(event) for event in events)
    accounts = _new_accounts(connection, events) if account is None else {}
    if not (fast or fast_pairs or going_on or is_reinstated or accounts):
        return
    queues = {queue_of_number(number) for number in fast | {number for number, _ in fast_pairs} | set(accounts)}
    ensure_queues(connection, queues)
    sending = set(send_queues(connection)) if going_on or is_reinstated else set()
    lock_queues(connection, queues | sending)
    if going_on:
        wake_held(connection, now, going_on)
    if is_reinstated:
        end_rests(connection, sending)
    for number in sorted(fast):
        put_number(connection, number, read_number(connection, number).slowed(now))
    for number, contact in sorted(fast_pairs):
        pairs = read_pairs(connection, number, [contact])
        put_pairs(connection, number, {contact: pairs[contact].refused(now)})
    put_accounts(connection, accounts)


def _new_accounts(connection: Connection, events: Iterable[NewEvent]) -> dict[str, str]:
    """Return the accounts that these events name and that are not stored yet, by phone number id."""
    named = {
        event.phone_number_id: event.waba_id
        for event in events
        if event.phone_number_id is not None and event.waba_id is not None
    }
    stored = read_accounts(connection, sorted(named))
    return {number: account for number, account in named.items() if stored.get(number) != account}


def _ended_pauses(connection: Connection, now: datetime, events: Sequence[NewEvent]) -> list[str]:
    """Return the paused scopes that Meta has released. Most approvals are of templates that were never paused."""
    if not any(may_end_a_pause(event) for event in events):
        return []
    _, going_on = content_changes(connection, now, events)
    paused = read_scopes(connection, sorted(going_on))
    return [name for name, pause in paused.items() if pause.reinstated(going_on[name]).is_over]


def pause_scopes(connection: Connection, now: datetime, events: Sequence[NewEvent]) -> None:
    """Pause the scopes of these errors, and each account that Meta has banned and not reinstated since."""
    latest: dict[str, tuple[datetime, bool]] = {}
    for event in events:
        account, may, at = event.waba_id, may_send(event), event.occurred_at
        if account is not None and may is not None and (account not in latest or latest[account][0] <= at):
            latest[account] = at, may
    bans = [ScopeRefusal(BANNED, "", account, at) for account, (at, may) in latest.items() if not may]
    reinstated = {f"waba:{account}": at for account, (at, may) in latest.items() if may}
    refusals = [
        ScopeRefusal(
            replace(refusal, is_stale=event.occurred_at < now - STALE),
            event.phone_number_id or "",
            event.waba_id,
            event.occurred_at,
        )
        for event, error in _errors(events)
        if not rule_in_status(error).holds
        and (refusal := refusal_of(error, rule_in_status(error), timedelta(), is_late=True)) is not None
    ]
    stopped, going_on = content_changes(connection, now, events)
    every = [*refusals, *refusals_of_content(connection, events), *stopped, *bans]
    change_scopes(connection, now, every, reinstated={**reinstated, **going_on})


def _errors(events: Iterable[NewEvent]) -> Iterator[tuple[NewEvent, GraphError]]:
    """Yield each error of a number about sending, with its event."""
    for event in events:
        if event.type in ABOUT_SENDING and event.phone_number_id is not None:
            alone = graph_error(event.raw) if event.type == "error" else None
            for error in errors_of_item(event.raw) if alone is None else [alone]:
                yield event, error
