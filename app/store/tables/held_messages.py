"""Reads what holds queued messages back, to show why a message is not sent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from app.domain.message import Message, MessageStatus, queue_of_number
from app.domain.message_hold import MessageHold, hold_of
from app.domain.queue import QueueState
from app.domain.scope_pause import scopes_of
from app.store.engine.one_of import one_of
from app.store.tables.queues import queue_of
from app.store.tables.schema import jobs, queues
from app.store.tables.scopes import read_scopes
from app.store.tables.sending import read_accounts

_HELD_BY = select(jobs.c.subject, jobs.c.held_by).where(
    one_of(jobs.c.queue, "queues"),
    one_of(jobs.c.subject, "ids"),
    jobs.c.held_by.is_not(None),
)
_QUEUES = select(queues).where(one_of(queues.c.name, "queues"))


def holds_of_messages(
    connection: Connection, now: datetime, messages: Sequence[Message], account: str | None, token: str | None
) -> dict[str, MessageHold]:
    """Return what holds back each queued one of these messages (at most a page), by the message's id.

    `account`: the one of all numbers, None if there are several. `token`: the variable that holds the access token.
    """
    waiting = [message for message in messages if message.status is MessageStatus.QUEUED]
    if not waiting:
        return {}
    names = _scopes_of(connection, waiting, account)
    paused = read_scopes(connection, sorted({name for of_message in names.values() for name in of_message}))
    states = _queues_of(connection, waiting)
    found = {
        message.id: hold_of(
            names[message.row_id], paused, states.get(queue_of_number(message.phone_number_id)), now, token
        )
        for message in waiting
    }
    return {message_id: hold for message_id, hold in found.items() if hold is not None}


def _scopes_of(connection: Connection, messages: Sequence[Message], account: str | None) -> dict[int, list[str]]:
    """Return the scopes that may hold each message back: those of its number, and the one that its job names."""
    found = connection.execute(_HELD_BY, {"queues": _names(messages), "ids": [one.row_id for one in messages]})
    held_by = {row.subject: [row.held_by] for row in found}
    numbers = {message.phone_number_id for message in messages}
    accounts = read_accounts(connection, sorted(numbers)) if account is None else dict.fromkeys(numbers, account)
    of_numbers = {number: scopes_of(number, accounts.get(number)) for number in numbers}
    return {one.row_id: [*of_numbers[one.phone_number_id], *held_by.get(one.row_id, [])] for one in messages}


def _queues_of(connection: Connection, messages: Sequence[Message]) -> dict[str, QueueState]:
    return {row.name: queue_of(row) for row in connection.execute(_QUEUES, {"queues": _names(messages)})}


def _names(messages: Sequence[Message]) -> list[str]:
    return sorted({queue_of_number(message.phone_number_id) for message in messages})
