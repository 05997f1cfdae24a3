"""Deliveries as they are told: some with their events, one, a page of them, how many stand where."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, literal, select

from app.domain.delivery import DELIVERY_ID, Delivery, DeliveryState
from app.domain.destination import queue_of_destination
from app.domain.event import Event
from app.domain.job import DELIVER_QUEUE, Job
from app.domain.queue import QueueState
from app.store.tables.attempts import attempts_of
from app.store.tables.chunks import chunks
from app.store.tables.delivery_progress import OPEN
from app.store.tables.events import event_of, id_of
from app.store.tables.queues import queue_of
from app.store.tables.receipts import BIGGEST_ID
from app.store.tables.schema import deliveries, events, jobs, queues

_QUEUE = literal(DELIVER_QUEUE) + deliveries.c.destination
_SHOWN = (
    select(deliveries, events.c.event_id, jobs.c.due_at, jobs.c.claim_id)
    .join(events, events.c.id == deliveries.c.event)
    .outerjoin(jobs, (jobs.c.queue == _QUEUE) & (jobs.c.subject == deliveries.c.id))
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
)
_EVENTS = select(events).where(events.c.id.in_(bindparam("ids", expanding=True)))


def row_id_of(public_id: str) -> int | None:
    """The row that a public id names; None if it is not one of ours."""
    match = DELIVERY_ID.fullmatch(public_id)
    row_id = int(match[1]) if match else 0
    return row_id if 0 < row_id <= BIGGEST_ID else None


def load_deliveries(
    connection: Connection, now: datetime, claimed: Sequence[Job]
) -> dict[int, tuple[Delivery, Event]]:
    """Those that claimed jobs are for, by the jobs' ids, with their events."""
    found = _rows(connection, [job.subject for job in claimed])
    wanted = sorted({row.event for row in found.values()})
    happened = {
        row.id: event_of(row) for some in chunks(wanted) for row in connection.execute(_EVENTS, {"ids": some})
    }
    return {
        job.id: (delivery_of(row, now), happened[row.event])
        for job in claimed
        if (row := found.get(job.subject)) is not None and row.event in happened  # it may be erased between two looks
    }


def read_deliveries(connection: Connection, now: datetime, ids: Iterable[int]) -> list[Delivery]:
    """These deliveries, in this order. When one is tried next depends on its queue too."""
    wanted = list(ids)
    found = _rows(connection, wanted)
    states = {row.name: queue_of(row) for row in connection.execute(select(queues))} if found else {}
    told = [delivery_of(found[row_id], now) for row_id in wanted if row_id in found]
    return [_as_its_queue_lets(one, states.get(queue_of_destination(one.destination))) for one in told]


def delivery_of(row: Row[tuple[object, ...]], now: datetime) -> Delivery:
    """The delivery that a row and its job, if it has one, tell of."""
    is_in_flight = row.claim_id is not None and row.due_at > now
    return Delivery(
        id=f"dlv_{row.id}",
        event_id=id_of(row.event_id),
        destination=row.destination,
        state=_state(row.state, is_in_flight),
        attempts=attempts_of(row.attempts),
        next_attempt_at=None if is_in_flight else row.due_at,
    )


def _as_its_queue_lets(delivery: Delivery, queue: QueueState | None) -> Delivery:
    if queue is None or delivery.next_attempt_at is None:
        return delivery
    return replace(delivery, next_attempt_at=queue.lets_through(delivery.next_attempt_at))


def _state(stored: str, is_in_flight: bool) -> DeliveryState:
    if stored != OPEN:
        return DeliveryState(stored)
    return DeliveryState.IN_FLIGHT if is_in_flight else DeliveryState.WAITING


def _rows(connection: Connection, ids: Sequence[int]) -> dict[int, Row[tuple[object, ...]]]:
    return {row.id: row for some in chunks(sorted(set(ids))) for row in connection.execute(_SHOWN, {"ids": some})}
