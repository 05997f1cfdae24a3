"""Lists and counts of deliveries, newest first. Every query uses an index, however many deliveries there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, select, text

from app.domain.delivery import Delivery, DeliveryCounts, DeliveryState
from app.domain.destination import queue_of_destination
from app.domain.event_filter import EventFilter
from app.domain.job import DELIVER_QUEUE
from app.domain.queue import QueueDepth
from app.store.tables.deliveries import read_deliveries
from app.store.tables.event_list import Range, narrowed
from app.store.tables.events import key_of
from app.store.tables.jobs import IS_CLAIMED, depths_of_queues
from app.store.tables.schema import DISCARDED, UNDELIVERED, deliveries, events, jobs, queues
from app.store.tables.types import MAX_ROW_ID, chunks

Ids = Select[Any]

OPEN_STATES = (DeliveryState.WAITING, DeliveryState.IN_FLIGHT)
UNDELIVERED_STATES = (DeliveryState.DEAD, DeliveryState.SKIPPED)

_FIRST = select(func.min(jobs.c.subject)).where(jobs.c.queue == bindparam("of_queue"))


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries to list: in a state, to a destination, of an event, of events received in a range of time
    (`until` excluded); with row ids from `first` on, and below `before`."""

    state: DeliveryState | None = None
    destination: str | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    first: int = 1
    before: int = MAX_ROW_ID
    limit: int = 50

    @property
    def has_times(self) -> bool:
        """Whether only deliveries of some time are asked for."""
        return self.since is not None or self.until is not None


def page_of_deliveries(connection: Connection, now: datetime, chosen: DeliveryFilter) -> list[Delivery]:
    """Return the newest deliveries that the filter chooses."""
    if chosen.has_times:
        chosen = _narrowed(connection, chosen)
    if chosen.event is not None:
        return _of_event(connection, now, chosen.event, chosen)
    return read_deliveries(connection, now, _ids(connection, now, chosen))


def count_deliveries(
    connection: Connection, now: datetime, depths: Iterable[QueueDepth] | None
) -> dict[str, DeliveryCounts]:
    """Count what waits and what is dead, by destination. `depths`: of the queues, if they are known."""
    query = select(deliveries.c.destination, func.count()).where(has_ended_as(DeliveryState.DEAD))
    dead: dict[str, int] = dict(connection.execute(query.group_by(deliveries.c.destination)).all())
    waiting = {
        depth.queue.removeprefix(DELIVER_QUEUE): depth.waiting
        for depth in (depths_of_queues(connection, now) if depths is None else depths)
        if depth.queue.startswith(DELIVER_QUEUE)
    }
    oldest = _oldest_undelivered(connection, waiting)
    names = sorted({*waiting, *dead})
    return {name: DeliveryCounts(waiting.get(name, 0), dead.get(name, 0), oldest.get(name)) for name in names}


def _oldest_undelivered(connection: Connection, destinations: Iterable[str]) -> dict[str, datetime]:
    """Return when the event of the oldest open delivery to each destination was received: not the one that is due
    first, which a retry puts off. One look-up in an index for each."""
    first = {name: connection.execute(_FIRST, {"of_queue": queue_of_destination(name)}) for name in destinations}
    ids = {row_id: name for name, result in first.items() if (row_id := result.scalar_one()) is not None}
    query = select(deliveries.c.id, events.c.received_at).join(events, events.c.id == deliveries.c.event)
    rows = [
        row for chunk in chunks(sorted(ids)) for row in connection.execute(query.where(deliveries.c.id.in_(chunk)))
    ]
    return {ids[row.id]: row.received_at for row in rows}


def has_ended_as(state: DeliveryState) -> ColumnElement[bool]:
    """Return the condition that a delivery has ended in this state, so worded that SQLite uses a partial index."""
    is_in_state = deliveries.c.state == bindparam(None, state.value, literal_execute=True)
    if state is DeliveryState.DISCARDED:
        return is_in_state & text(DISCARDED)
    return is_in_state & text(UNDELIVERED) if state in UNDELIVERED_STATES else is_in_state


def _narrowed(connection: Connection, chosen: DeliveryFilter) -> DeliveryFilter:
    """Return the filter with the row ids between the first and the last delivery of events of its time."""
    events_of_time = narrowed(connection, EventFilter(since=chosen.since, until=chosen.until), Range())
    of_time = deliveries.c.event.between(events_of_time.first, events_of_time.last)
    ids = deliveries.c.id + 0  # a sum, for which no plan reads the table in the order of ids
    first, last = connection.execute(select(func.min(ids), func.max(ids)).where(of_time)).one()
    return replace(chosen, first=first or 1, before=min(chosen.before, (last or 0) + 1))


def _of_time(query: Ids, row_id: ColumnElement[int], chosen: DeliveryFilter) -> Ids:
    """Return the query without deliveries of events of another time."""
    if not chosen.has_times:
        return query
    one = deliveries.alias()
    is_of_time = [one.c.id == row_id, events.c.id == one.c.event]
    if chosen.since is not None:
        is_of_time.append(events.c.received_at >= chosen.since)
    if chosen.until is not None:
        is_of_time.append(events.c.received_at < chosen.until)
    return query.where(row_id >= chosen.first, exists().where(*is_of_time))


def _of_event(connection: Connection, now: datetime, event: str, chosen: DeliveryFilter) -> list[Delivery]:
    """Read all deliveries of an event, which are few, and then filter them."""
    sequence = select(events.c.id).where(events.c.event_id == (key_of(event) or b"")).scalar_subquery()
    query = select(deliveries.c.id).where(deliveries.c.event == sequence, deliveries.c.id < chosen.before)
    ids = connection.execute(_of_time(query, deliveries.c.id, chosen).order_by(deliveries.c.id.desc())).scalars()
    return [
        delivery
        for delivery in read_deliveries(connection, now, ids)
        if chosen.destination in (None, delivery.destination) and chosen.state in (None, delivery.state)
    ][: chosen.limit]


def _ids(connection: Connection, now: datetime, chosen: DeliveryFilter) -> Iterable[int]:
    if chosen.state in (None, DeliveryState.DELIVERED):
        return _ids_of_all(connection, chosen)
    ids: list[int] = []
    for destination in _destinations(connection) if chosen.destination is None else [chosen.destination]:
        if chosen.state is DeliveryState.WAITING:
            ids += _ids_of_waiting(connection, now, destination, chosen)
        elif chosen.state is DeliveryState.IN_FLIGHT:
            ids += _ids_in_flight(connection, now, destination, chosen)
        else:
            ids += _ids_of_undelivered(connection, destination, chosen)
    return sorted(ids, reverse=True)[: chosen.limit]


def _destinations(connection: Connection) -> list[str]:
    names = connection.execute(select(queues.c.name)).scalars()
    return [name.removeprefix(DELIVER_QUEUE) for name in names if name.startswith(DELIVER_QUEUE)]


def _ids_of_all(connection: Connection, chosen: DeliveryFilter) -> Sequence[int]:
    """Read the deliveries themselves. Most of them are delivered, so that few rows are read and left out."""
    query = _of_time(select(deliveries.c.id).where(deliveries.c.id < chosen.before), deliveries.c.id, chosen)
    if chosen.state is not None:
        query = query.where(has_ended_as(chosen.state))
    if chosen.destination is not None:
        query = query.where(deliveries.c.destination == chosen.destination)
    return connection.execute(query.order_by(deliveries.c.id.desc()).limit(chosen.limit)).scalars().all()


def _ids_of_waiting(connection: Connection, now: datetime, destination: str, chosen: DeliveryFilter) -> Sequence[int]:
    is_waiting = ~IS_CLAIMED | (jobs.c.due_at <= now)
    query = select(jobs.c.subject).where(
        jobs.c.queue == queue_of_destination(destination), jobs.c.subject < chosen.before, is_waiting
    )
    query = _of_time(query, jobs.c.subject, chosen).order_by(jobs.c.subject.desc())
    return connection.execute(query.limit(chosen.limit)).scalars().all()


def _ids_in_flight(connection: Connection, now: datetime, destination: str, chosen: DeliveryFilter) -> Sequence[int]:
    """Read all that are in flight, which are few. A search in the order of subjects would read all that wait too."""
    is_in_flight = IS_CLAIMED & (jobs.c.due_at > now)
    query = select(jobs.c.subject).where(jobs.c.queue == queue_of_destination(destination), is_in_flight)
    found = connection.execute(_of_time(query, jobs.c.subject, chosen)).scalars()
    return [row_id for row_id in found if row_id < chosen.before]


def _ids_of_undelivered(connection: Connection, destination: str, chosen: DeliveryFilter) -> Sequence[int]:
    assert chosen.state is not None
    query = select(deliveries.c.id).where(has_ended_as(chosen.state), deliveries.c.destination == destination)
    query = _of_time(query.where(deliveries.c.id < chosen.before), deliveries.c.id, chosen)
    return connection.execute(query.order_by(deliveries.c.id.desc()).limit(chosen.limit)).scalars().all()
