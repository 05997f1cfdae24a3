"""Lists of deliveries, newest first, and how many stand where: by indexes, however many there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, text

from app.domain.delivery import Delivery, DeliveryCounts, DeliveryState
from app.domain.destination import queue_of_destination
from app.domain.job import DELIVER_QUEUE
from app.store.tables.deliveries import read_deliveries
from app.store.tables.events import key_of
from app.store.tables.jobs import depths_of_queues
from app.store.tables.receipts import BIGGEST_ID
from app.store.tables.schema import UNDELIVERED, deliveries, events, jobs, queues

OPEN_STATES = (DeliveryState.WAITING, DeliveryState.IN_FLIGHT)
UNDELIVERED_STATES = (DeliveryState.DEAD, DeliveryState.SKIPPED)


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries: in a state, to a destination, of an event; those older than the one with the id `before`."""

    state: DeliveryState | None = None
    destination: str | None = None
    event: str | None = None
    before: int = BIGGEST_ID
    limit: int = 50


def page_of_deliveries(connection: Connection, now: datetime, wanted: DeliveryFilter) -> list[Delivery]:
    """The newest of those that are wanted for."""
    if wanted.event is not None:
        return _of_event(connection, now, wanted.event, wanted)
    return read_deliveries(connection, now, _ids(connection, now, wanted))


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


def _of_event(connection: Connection, now: datetime, event: str, wanted: DeliveryFilter) -> list[Delivery]:
    """An event has few: those that are not wanted for are left out afterwards."""
    sequence = select(events.c.id).where(events.c.event_id == (key_of(event) or b"")).scalar_subquery()
    query = select(deliveries.c.id).where(deliveries.c.event == sequence, deliveries.c.id < wanted.before)
    told = read_deliveries(connection, now, connection.execute(query.order_by(deliveries.c.id.desc())).scalars())
    return [
        one for one in told if wanted.destination in (None, one.destination) and wanted.state in (None, one.state)
    ][: wanted.limit]


def _ids(connection: Connection, now: datetime, wanted: DeliveryFilter) -> Iterable[int]:
    if wanted.state in (None, DeliveryState.DELIVERED):
        return _ids_of_most(connection, wanted)
    found: list[int] = []
    for destination in _destinations(connection) if wanted.destination is None else [wanted.destination]:
        if wanted.state is DeliveryState.WAITING:
            found += _ids_of_waiting(connection, now, destination, wanted)
        elif wanted.state is DeliveryState.IN_FLIGHT:
            found += _ids_in_flight(connection, now, destination, wanted)
        else:
            found += _ids_of_undelivered(connection, destination, wanted)
    return sorted(found, reverse=True)[: wanted.limit]


def _destinations(connection: Connection) -> list[str]:
    names = connection.execute(select(queues.c.name)).scalars()
    return [name.removeprefix(DELIVER_QUEUE) for name in names if name.startswith(DELIVER_QUEUE)]


def _ids_of_most(connection: Connection, wanted: DeliveryFilter) -> Sequence[int]:
    query = select(deliveries.c.id).where(deliveries.c.id < wanted.before)
    if wanted.state is not None:
        query = query.where(is_stored_as(wanted.state))
    if wanted.destination is not None:
        query = query.where(deliveries.c.destination == wanted.destination)
    return connection.execute(query.order_by(deliveries.c.id.desc()).limit(wanted.limit)).scalars().all()


def _ids_of_waiting(connection: Connection, now: datetime, destination: str, wanted: DeliveryFilter) -> Sequence[int]:
    waits = jobs.c.claim_id.is_(None) | (jobs.c.due_at <= now)
    query = select(jobs.c.subject).where(
        jobs.c.queue == queue_of_destination(destination), jobs.c.subject < wanted.before, waits
    )
    return connection.execute(query.order_by(jobs.c.subject.desc()).limit(wanted.limit)).scalars().all()


def _ids_in_flight(connection: Connection, now: datetime, destination: str, wanted: DeliveryFilter) -> Sequence[int]:
    """All of them, for they are few: in the order of their ids they would be searched among all that wait."""
    is_in_flight = jobs.c.claim_id.is_not(None) & (jobs.c.due_at > now)
    query = select(jobs.c.subject).where(jobs.c.queue == queue_of_destination(destination), is_in_flight)
    return [number for number in connection.execute(query).scalars() if number < wanted.before]


def _ids_of_undelivered(connection: Connection, destination: str, wanted: DeliveryFilter) -> Sequence[int]:
    assert wanted.state is not None
    query = select(deliveries.c.id).where(is_stored_as(wanted.state), deliveries.c.destination == destination)
    query = query.where(deliveries.c.id < wanted.before).order_by(deliveries.c.id.desc()).limit(wanted.limit)
    return connection.execute(query).scalars().all()
