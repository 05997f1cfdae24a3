"""What webhooks say about sending: an error may slow its number, or pause what it is about, and so may a ban.

The message that such an error fails is over, and is not sent again. A part of splitting: paces come right after the
lock on the queues of their numbers, and scopes after messages.
"""

from collections.abc import Iterable, Iterator
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
from app.store.tables.sending import put_number, read_number
from app.store.transactions.change_scopes import ScopeRefusal, change_scopes

BANNED = Refusal(
    ErrorClass.STOPPED,
    ErrorScope.WABA,
    0,
    "Meta has disabled or deleted the account; see WhatsApp Manager, Account quality",
    is_late=True,
)

ABOUT_SENDING = ("message.status.failed", "error")
"""Types of events whose errors are about sending."""


def slow_numbers(connection: Connection, now: datetime, events: Iterable[NewEvent]) -> None:
    """Halve the pace of numbers that Meta says are too fast."""
    fast = {number for number, _, error in _errors(events) if is_pace_of_number(rule_in_status(error))}
    if not fast:
        return
    queues = {queue_of_number(number) for number in fast}
    ensure_queues(connection, queues)
    lock_queues(connection, queues)
    for number in sorted(fast):
        put_number(connection, number, read_number(connection, number).slowed(now))


def pause_scopes(connection: Connection, now: datetime, events: Iterable[NewEvent], account: str | None) -> None:
    """Pause the scopes of errors that stop or cool them, and the account when Meta bans it, until it is reinstated.

    `account`: that of every number, if there is one only.
    """
    told = {
        event.occurred_at: may
        for event in events
        if event.waba_id == account and (may := may_send(event)) is not None
    }
    bans = [ScopeRefusal(BANNED, "", account, at) for at, may in told.items() if not may]
    reinstated = {f"waba:{account}": max(told)} if told and told[max(told)] else {}
    refusals = [
        ScopeRefusal(refusal, number, account, at)
        for number, at, error in _errors(events)
        if (refusal := refusal_of(error, rule_in_status(error), timedelta(), is_late=True)) is not None
    ]
    change_scopes(connection, now, [*refusals, *([] if reinstated else bans)], reinstated=reinstated)


def _errors(events: Iterable[NewEvent]) -> Iterator[tuple[str, datetime, GraphError]]:
    """Yield each error that is about sending, with its number and its time by Meta's clock."""
    for event in events:
        if event.type in ABOUT_SENDING and event.phone_number_id is not None:
            alone = graph_error(event.raw) if event.type == "error" else None
            for error in errors_of_item(event.raw) if alone is None else [alone]:
                yield event.phone_number_id, event.occurred_at, error
