"""Deliveries as values: those that claimed jobs are about, and those that the API shows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, literal, select

from app.domain.compact_json import compact_json
from app.domain.delivery import DELIVERY_ID, KEPT_ATTEMPTS, Delivery, DeliveryState
from app.domain.destination import queue_of_destination
from app.domain.event import Event
from app.domain.job import DELIVER_QUEUE, Job
from app.domain.job_result import Attempt
from app.domain.queue import QueueState
from app.store.engine.one_of import one_of
from app.store.tables.events import event_of, id_of
from app.store.tables.queues import queue_of
from app.store.tables.schema import deliveries, events, jobs, queues
from app.store.tables.types import MAX_ROW_ID, chunks

OPEN = "open"
"""The stored state of a delivery that has a job. Whether it waits or is in flight, the job knows."""

_QUEUE = literal(DELIVER_QUEUE) + deliveries.c.destination
_WITH_JOB = (
    select(deliveries, events.c.event_id, jobs.c.due_at, jobs.c.claim_id)
    .join(events, events.c.id == deliveries.c.event)
    .outerjoin(jobs, (jobs.c.queue == _QUEUE) & (jobs.c.subject == deliveries.c.id))
    .where(one_of(deliveries.c.id, "ids"))
)
_CLAIMED = (
    select(
        deliveries.c.id.label("delivery"),
        deliveries.c.destination,
        deliveries.c.attempts,
        *(column for column in events.columns if column.name != "document"),
        case((func.length(events.c.document) <= bindparam("max_bytes"), events.c.document)).label("document"),
    )
    .join(events, events.c.id == deliveries.c.event)
    .where(one_of(deliveries.c.id, "ids"))
)


def row_id_of(public_id: str) -> int | None:
    """Return the row id in a delivery's public id, or None if it is not such an id."""
    match = DELIVERY_ID.fullmatch(public_id)
    row_id = int(match[1]) if match else 0
    return row_id if 0 < row_id <= MAX_ROW_ID else None


def attempts_of(column: bytes) -> tuple[Attempt, ...]:
    """Return the attempts that a column holds as JSON."""
    return tuple(_attempt(*parts) for parts in json.loads(bytes(column)))


def _attempt(at: str, status: int | None, error: Any, duration_ms: int) -> Attempt:
    """Return an attempt. Its error and its answer share a place: code of former releases expects four values."""
    parts = error if isinstance(error, dict) else {"error": error}
    return Attempt(datetime.fromisoformat(at), status, parts["error"], duration_ms, parts.get("answer"))


def column_of(attempts: Iterable[Attempt]) -> bytes:
    """Return the last `KEPT_ATTEMPTS` of these attempts as a column."""
    kept = [(one.at.isoformat(), one.status, _stored_error(one), one.duration_ms) for one in attempts][
        -KEPT_ATTEMPTS:
    ]
    return compact_json(kept).encode("ascii")


def _stored_error(attempt: Attempt) -> str | dict[str, str | None] | None:
    return attempt.error if attempt.answer is None else {"error": attempt.error, "answer": attempt.answer}


def load_deliveries(
    connection: Connection, claimed: Sequence[Job], max_bytes: int
) -> dict[int, tuple[Delivery, Event] | None]:
    """Return the deliveries that claimed jobs are about, with their events, by the ids of the jobs.

    One that was erased in between is missing. None stands for an event of more than `max_bytes`, which is not read.
    """
    ids = sorted({job.subject for job in claimed})
    rows = {
        row.delivery: row
        for chunk in chunks(ids)
        for row in connection.execute(_CLAIMED, {"ids": chunk, "max_bytes": max_bytes})
    }
    return {job.id: _claimed(rows[job.subject]) for job in claimed if job.subject in rows}


def _claimed(row: Row[*tuple[Any, ...]]) -> tuple[Delivery, Event] | None:
    if row.document is None:
        return None
    delivery = Delivery(
        id=f"dlv_{row.delivery}",
        event_id=id_of(row.event_id),
        destination=row.destination,
        state=DeliveryState.IN_FLIGHT,
        attempts=attempts_of(row.attempts),
        next_attempt_at=None,
    )
    return delivery, event_of(row)


def read_deliveries(connection: Connection, now: datetime, ids: Iterable[int]) -> list[Delivery]:
    """Return these deliveries, in this order. The time of the next attempt also depends on the queue."""
    ordered = list(ids)
    rows = _rows(connection, ordered)
    states = {row.name: queue_of(row).as_of(now) for row in connection.execute(select(queues))} if rows else {}
    existing = [delivery_of(rows[row_id], now) for row_id in ordered if row_id in rows]
    return [
        _delay_by_queue(delivery, states.get(queue_of_destination(delivery.destination))) for delivery in existing
    ]


def delivery_of(row: Row[tuple[object, ...]], now: datetime) -> Delivery:
    """Return the delivery of a row that is joined with its job, if it has one."""
    is_in_flight = row.claim_id is not None and row.due_at > now
    return Delivery(
        id=f"dlv_{row.id}",
        event_id=id_of(row.event_id),
        destination=row.destination,
        state=_state(row.state, is_in_flight),
        attempts=attempts_of(row.attempts),
        next_attempt_at=None if is_in_flight else row.due_at,
    )


def _delay_by_queue(delivery: Delivery, queue: QueueState | None) -> Delivery:
    if queue is None or delivery.next_attempt_at is None:
        return delivery
    return replace(delivery, next_attempt_at=queue.earliest_attempt(delivery.next_attempt_at))


def _state(stored: str, is_in_flight: bool) -> DeliveryState:
    if stored != OPEN:
        return DeliveryState(stored)
    return DeliveryState.IN_FLIGHT if is_in_flight else DeliveryState.WAITING


def _rows(connection: Connection, ids: Sequence[int]) -> dict[int, Row[tuple[object, ...]]]:
    unique = sorted(set(ids))
    return {row.id: row for chunk in chunks(unique) for row in connection.execute(_WITH_JOB, {"ids": chunk})}
