"""Finding what to replay, a few events at a time, in the order of their sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from sqlalchemy import Connection, Row, select, text

from app.domain.delivery import DeliveryState
from app.domain.event import Event, type_matches
from app.domain.replay import Selection
from app.store.tables.chunks import chunks
from app.store.tables.delivery_list import OPEN_STATES, UNDELIVERED_STATES
from app.store.tables.delivery_progress import OPEN
from app.store.tables.events import event_of
from app.store.tables.schema import UNDELIVERED, deliveries, events

EVERY_TYPE = ("*",)

_LOOK = select(events.c.id, events.c.type, events.c.received_at, events.c.is_foreign)


@dataclass(frozen=True)
class ReplayCandidates:
    """The next few events: the deliveries to replay, those that were foreign when they came, how many were looked at,
    and after which sequence to go on."""

    deliveries: Sequence[int]
    foreign: Sequence[Event]
    seen: int
    next: int | None


def find_next(connection: Connection, selection: Selection, after: int, limit: int) -> ReplayCandidates:
    """What the selection has among the next events."""
    candidates = _candidates(connection, selection, after, limit)
    chosen = [row for row in _look_at(connection, candidates) if _is_selected(row, selection)]
    return ReplayCandidates(
        deliveries=_deliveries_of(connection, selection, [row.id for row in chosen]),
        foreign=_foreign(connection, [row.id for row in chosen if row.is_foreign and selection.state is None]),
        seen=len(candidates),
        next=candidates[-1] if len(candidates) == limit else None,
    )


def _candidates(connection: Connection, selection: Selection, after: int, limit: int) -> list[int]:
    """The next events that may have something to replay; of what is rare the next ones that do have it."""
    next_events = select(events.c.id).where(events.c.id > after).order_by(events.c.id).limit(limit)
    if selection.state not in (None, *UNDELIVERED_STATES):
        return list(connection.execute(next_events).scalars())
    undelivered = select(deliveries.c.event).where(text(UNDELIVERED), deliveries.c.event > after).distinct()
    undelivered = undelivered.order_by(deliveries.c.event).limit(limit)
    found = list(connection.execute(undelivered).scalars())
    if selection.state is not None:
        return found
    foreign = connection.execute(next_events.where(text("is_foreign"))).scalars()
    return list(islice(dict.fromkeys(merge(found, foreign)), limit))


def _look_at(connection: Connection, ids: Sequence[int]) -> list[Row[*tuple[object, ...]]]:
    return [row for some in chunks(ids) for row in connection.execute(_LOOK.where(events.c.id.in_(some)))]


def _is_selected(row: Row[*tuple[object, ...]], selection: Selection) -> bool:
    if selection.since is not None and row.received_at < selection.since:
        return False
    if selection.until is not None and row.received_at >= selection.until:
        return False
    return type_matches(row.type, selection.types or EVERY_TYPE)


def _deliveries_of(connection: Connection, selection: Selection, ids: Sequence[int]) -> list[int]:
    query = select(deliveries.c.id)
    if selection.destination is not None:
        query = query.where(deliveries.c.destination == selection.destination)
    query = query.where(deliveries.c.state.in_(stored_states(selection.state)))
    return [
        found
        for some in chunks(ids)
        for found in connection.execute(query.where(deliveries.c.event.in_(some))).scalars()
    ]


def stored_states(state: DeliveryState | None) -> tuple[str, ...]:
    """How deliveries in the state of a selection stand in their table."""
    if state is None:
        return tuple(each.value for each in UNDELIVERED_STATES)
    return (OPEN,) if state in OPEN_STATES else (state.value,)


def _foreign(connection: Connection, ids: Sequence[int]) -> list[Event]:
    return [
        event_of(row)
        for some in chunks(ids)
        for row in connection.execute(select(events).where(events.c.id.in_(some)))
    ]
