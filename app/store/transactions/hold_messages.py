"""Holds back the messages of a template, a flow or a kind of marketing that Meta has paused, and lets them go on.

A held message leaves the order of its customer, so that it holds up no other while it waits. Its job is due again
when the pause ends; if no time ends the pause, now and then; and when its scope is resumed. So thousands of held
messages take no slots from messages that may be sent. `wake_held` lets them go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from app.domain.content_scope import (
    MARKETING,
    Content,
    Sent,
    content_of,
    conversation_scope,
)
from app.domain.job import Done, Retry
from app.domain.message import MessageStatus, name_sent_to
from app.domain.meta.account_state import INITIATED, REPLIES
from app.domain.meta.graph_errors import ErrorScope
from app.domain.scope_pause import ScopePause
from app.domain.send_outcome import SendOutcome
from app.domain.window import Window
from app.store.tables.conversations import Party, last_inbound, read_links
from app.store.tables.scopes import read_scopes

MIN_HOLD, MAX_HOLD = timedelta(minutes=10), timedelta(hours=1)
"""If no time ends the pause, a message is held for as long as the pause has lasted, within these limits."""
WITH_CONTENT = ("template", "interactive")

MessageRow = Row[*tuple[Any, ...]]


def sent_as(row: MessageRow, account: str | None) -> Sent:
    """Return the scopes of a message. `row` holds its body, too."""
    content = content_of(bytes(row.body)) if row.type in WITH_CONTENT else Content()
    return Sent(account or row.phone_number_id, row.phone_number_id, row.contact, row.endpoint, content)


def hold_messages(
    connection: Connection, now: datetime, rows: Mapping[int, MessageRow], scopes: Sequence[str], account: str | None
) -> tuple[dict[int, SendOutcome], list[str]]:
    """Return the outcomes of messages that a paused scope of their content holds back, by row id; and those of
    `scopes`, the scopes of their number, that are paused. One statement reads all pauses."""
    names = _names(connection, rows, account)
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


def _names(connection: Connection, rows: Mapping[int, MessageRow], account: str | None) -> dict[int, set[str]]:
    """Return the names of all scopes of content that each message belongs to.

    Marketing to a customer may have been paused under a name that was linked to another one since.
    """
    sent = {row_id: sent_as(row, account) for row_id, row in rows.items()}
    names = {row_id: one.every_name for row_id, one in sent.items()}
    about_customers = {row_id: one for row_id, one in sent.items() if one.names(ErrorScope.CONTACT)}
    if about_customers:
        links = read_links(connection, {name for row_id in about_customers for name in party_of(rows[row_id])[1]})
        for row_id, one in about_customers.items():
            for former in links.former.get(one.contact, ()):
                names[row_id].update(replace(one, contact=former).names(ErrorScope.CONTACT))
    return names


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


def _outcome(row: MessageRow, pause: ScopePause, now: datetime) -> SendOutcome:
    """Hold a message, or let it fail: marketing that would come too late anyway."""
    ends_at = pause.until
    if pause.name.startswith(MARKETING) and (ends_at is None or ends_at >= row.expires_at):
        error = {"code": pause.code, "message": pause.explained(), "class": pause.error_class.value}
        return SendOutcome(MessageStatus.FAILED, Done(), error)
    looked_at = min(row.expires_at, _held_until(pause, now))
    held = Retry(max(timedelta(), looked_at - now), keeps_order=False, held_by=pause.name)
    return SendOutcome(MessageStatus.QUEUED, held)


def _held_until(pause: ScopePause, now: datetime) -> datetime:
    """Return when a held message is looked at again. One of a conversation may belong to another scope by then."""
    if pause.name.startswith((INITIATED, REPLIES)):
        return min(now + MIN_HOLD, pause.until or now + MIN_HOLD)
    return pause.until or now + min(max(now - pause.since, MIN_HOLD), MAX_HOLD)
