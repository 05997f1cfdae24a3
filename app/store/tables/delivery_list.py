"""Lists of deliveries, newest first, and how many stand where: by indexes, however many there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, text

from app.domain.delivery import Delivery, DeliveryCounts, DeliveryState
from app.domain.destination import queue_of_destination
from app.domain.job import DELIVER_QUEUE
from app.store.tables.deliveries import tell_deliveries
from app.store.tables.events import key_of
from app.store.tables.jobs import depths_of_queues
from app.store.tables.receipts import BIGGEST_ID
from app.store.tables.schema import UNDELIVERED, deliveries, events, jobs, queues

OPEN_STATES = (DeliveryState.WAITING, DeliveryState.IN_FLIGHT)
UNDELIVERED_STATES = (DeliveryState.DEAD, DeliveryState.SKIPPED)


@dataclass(frozen=True)
class Asked:
    """Which deliveries: in a state, to a destination, of an event; those older than the one with the id `before`."""

    state: DeliveryState | None = None
    destination: str | None = None
    event: str | None = None
    before: int = BIGGEST_ID
    limit: int = 50


def page_of_deliveries(connection: Connection, now: datetime, asked: Asked) -> list[Delivery]:
    """The newest of those that are asked for."""
    if asked.event is not None:
        return _of_event(connection, now, asked.event, asked)
    return tell_deliveries(connection, now, _ids(connection, now, asked))


def count_deliveries(connection: Connection, now: datetime) -> dict[str, DeliveryCounts]:
    """By destination."""
    query = select(deliveries.c.destination, func.count()).where(is_stored_as(DeliveryState.DEAD))
    dead: dict[str, int] = dict(connection.execute(query.group_by(deliveries.c.destination)).all())
    waiting = {
        depth.queue.removeprefix(DELIVER_QUEUE): depth.waiting
        for depth in depths_of_queues(connection, now)
        if depth.queue.startswith(DELIVER_QUEUE)
    }
    return {name: DeliveryCounts(waiting.get(name, 0), dead.get(name, 0)) for name in sorted({*waiting, *dead})}


def is_stored_as(state: DeliveryState) -> ColumnElement[bool]:
    """Condition on deliveries that has ended, so that an index of those that were not delivered can serve."""
    is_in_state = deliveries.c.state == bindparam(None, state.value, literal_execute=True)
    return is_in_state & text(UNDELIVERED) if state in UNDELIVERED_STATES else is_in_state


def _of_event(connection: Connection, now: datetime, event: str, asked: Asked) -> list[Delivery]:
    """An event has few: those that are not asked for are left out afterwards."""
    sequence = select(events.c.id).where(events.c.event_id == (key_of(event) or b"")).scalar_subquery()
    query = select(deliveries.c.id).where(deliveries.c.event == sequence, deliveries.c.id < asked.before)
    told = tell_deliveries(connection, now, connection.execute(query.order_by(deliveries.c.id.desc())).scalars())
    return [one for one in told if asked.destination in (None, one.destination) and asked.state in (None, one.state)][
        : asked.limit
    ]


def _ids(connection: Connection, now: datetime, asked: Asked) -> Iterable[int]:
    if asked.state in (None, DeliveryState.DELIVERED):
        return _ids_of_most(connection, asked)
    found: list[int] = []
    for destination in _destinations(connection) if asked.destination is None else [asked.destination]:
        if asked.state is DeliveryState.WAITING:
            found += _ids_of_waiting(connection, now, destination, asked)
        elif asked.state is DeliveryState.IN_FLIGHT:
            found += _ids_in_flight(connection, now, destination, asked)
        else:
            found += _ids_of_undelivered(connection, destination, asked)
    return sorted(found, reverse=True)[: asked.limit]


def _destinations(connection: Connection) -> list[str]:
    names = connection.execute(select(queues.c.name)).scalars()
    return [name.removeprefix(DELIVER_QUEUE) for name in names if name.startswith(DELIVER_QUEUE)]


def _ids_of_most(connection: Connection, asked: Asked) -> Sequence[int]:
    query = select(deliveries.c.id).where(deliveries.c.id < asked.before)
    if asked.state is not None:
        query = query.where(is_stored_as(asked.state))
    if asked.destination is not None:
        query = query.where(deliveries.c.destination == asked.destination)
    return connection.execute(query.order_by(deliveries.c.id.desc()).limit(asked.limit)).scalars().all()


def _ids_of_waiting(connection: Connection, now: datetime, destination: str, asked: Asked) -> Sequence[int]:
    waits = jobs.c.claim_id.is_(None) | (jobs.c.due_at <= now)
    query = select(jobs.c.subject).where(
        jobs.c.queue == queue_of_destination(destination), jobs.c.subject < asked.before, waits
    )
    return connection.execute(query.order_by(jobs.c.subject.desc()).limit(asked.limit)).scalars().all()


def _ids_in_flight(connection: Connection, now: datetime, destination: str, asked: Asked) -> Sequence[int]:
    """All of them, for they are few: in the order of their ids they would be searched among all that wait."""
    is_in_flight = jobs.c.claim_id.is_not(None) & (jobs.c.due_at > now)
    query = select(jobs.c.subject).where(jobs.c.queue == queue_of_destination(destination), is_in_flight)
    return [number for number in connection.execute(query).scalars() if number < asked.before]


def _ids_of_undelivered(connection: Connection, destination: str, asked: Asked) -> Sequence[int]:
    assert asked.state is not None
    query = select(deliveries.c.id).where(is_stored_as(asked.state), deliveries.c.destination == destination)
    query = query.where(deliveries.c.id < asked.before).order_by(deliveries.c.id.desc()).limit(asked.limit)
    return connection.execute(query).scalars().all()
