"""Sorts claimed messages out of `reserve_sends` that end without a POST.

The queue, the jobs and the messages are locked. A message ends so if it was erased, was in an earlier POST that was
cut off, has expired, holds an order that has, or is outside its customer service window.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from app.domain.clock import MAX_HELD_BACK
from app.domain.job import Done, Job
from app.domain.message import MessageStatus
from app.domain.meta.payloads.order_expiry import KINDS_WITH_ORDERS, ORDER_EXPIRED, has_expired_order
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import SendOutcome
from app.domain.window import WINDOW_CLOSED, Window
from app.store.tables.clock import read_trust
from app.store.tables.conversations import last_inbound
from app.store.tables.jobs import release_jobs
from app.store.transactions.hold_messages import party_of

BY_CLOCK = (MessageStatus.EXPIRED, MessageStatus.FAILED)
"""How a queued message ends because it is late: it or its order has expired, or its customer service window is
closed."""

MessageRow = Row[*tuple[Any, ...]]


def sort_out_ended(
    connection: Connection,
    now: datetime,
    owned: Mapping[int, Job],
    rows: Mapping[int, MessageRow],
    limits: SendLimits,
) -> tuple[dict[int, SendOutcome], dict[int, MessageRow]]:
    """Return how messages end without a POST, and the rows of those that are to be sent, both by row id.

    `owned`: the claimed jobs, by the same ids. A message that a doubted clock would end is in neither: it is put off;
    so is one whose status only newer code knows.
    """
    if newer := {row_id for row_id, row in rows.items() if not MessageStatus(row.status).is_known}:
        release_jobs(connection, {owned[row_id].id: now + MAX_HELD_BACK for row_id in newer})
        owned = {row_id: job for row_id, job in owned.items() if row_id not in newer}
        rows = {row_id: row for row_id, row in rows.items() if row_id not in newer}
    windows = _windows(connection, rows.values()) if limits.window_policy == "enforce" else {}
    endings = {row_id: _ending(rows.get(row_id), windows, limits, now) for row_id in owned}
    left = {row_id: row for row_id, row in rows.items() if endings[row_id] is None}
    ended = {row_id: outcome for row_id, outcome in endings.items() if outcome is not None}
    by_clock = [
        row_id
        for row_id, outcome in ended.items()
        if outcome.status in BY_CLOCK and rows[row_id].status == MessageStatus.QUEUED
    ]
    if by_clock and not read_trust(connection).holds(now):
        release_jobs(connection, {owned[row_id].id: now + MAX_HELD_BACK for row_id in by_clock})
        ended = {row_id: outcome for row_id, outcome in ended.items() if row_id not in by_clock}
    return ended, left


def _windows(connection: Connection, rows: Iterable[MessageRow]) -> dict[int, Window]:
    """Return the window of each message's customer, by the message's row id.

    The customer may have written under another of their names, which was linked after the message was accepted.
    """
    bound = [row for row in rows if not row.window_exempt]
    times = last_inbound(connection, [party_of(row) for row in bound])
    return {row.id: Window(at) for row, at in zip(bound, times, strict=True)}


def _ending(
    row: MessageRow | None, windows: Mapping[int, Window], limits: SendLimits, now: datetime
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
    if row.type in KINDS_WITH_ORDERS and has_expired_order(bytes(row.body), now):
        return SendOutcome(MessageStatus.FAILED, Done(), dict(ORDER_EXPIRED))
    window = windows.get(row.id, Window(None))
    if window.forbids(limits.window_policy, now, is_exempt=row.window_exempt):
        return SendOutcome(MessageStatus.FAILED, Done(), dict(WINDOW_CLOSED))
    return None
