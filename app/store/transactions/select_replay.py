"""Selects what to replay: the deliveries among the next few events, in the order of their sequences. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from sqlalchemy import ColumnElement, Connection, Row, exists, literal, select, text

from app.domain.delivery import DeliveryState
from app.domain.event import Event, type_matches
from app.domain.job import DELIVER_QUEUE
from app.domain.replay import Selection
from app.store.tables.deliveries import OPEN
from app.store.tables.delivery_list import OPEN_STATES, UNDELIVERED_STATES
from app.store.tables.events import ALL_TYPES, event_of
from app.store.tables.jobs import is_delayed
from app.store.tables.schema import UNDELIVERED, deliveries, events, jobs
from app.store.tables.types import chunks

_COLUMNS = select(events.c.id, events.c.type, events.c.received_at, events.c.is_foreign)


@dataclass(frozen=True)
class ReplayCandidates:
    """The candidates of one step: row ids of deliveries, and events that were foreign when they came.

    `without`: events that have no delivery to the destination of the selection, if it asks for these. `seen`: how
    many events were looked at. `next`: the sequence after which the next step continues, if there is one.
    """

    deliveries: Sequence[int]
    foreign: Sequence[Event]
    without: Sequence[Event]
    seen: int
    next: int | None


def find_candidates(
    connection: Connection, now: datetime, selection: Selection, after: int, limit: int
) -> ReplayCandidates:
    """Return the deliveries and foreign events that the selection chooses among the next `limit` events."""
    sequences = _next_sequences(connection, selection, after, limit)
    chosen = [row for row in _rows(connection, sequences) if _is_selected(row, selection)]
    foreign = [row.id for row in chosen if row.is_foreign and selection.state is None]
    return ReplayCandidates(
        deliveries=_deliveries_of(connection, now, selection, [row.id for row in chosen]),
        foreign=_load_events(connection, foreign),
        without=_load_events(connection, _without_delivery(connection, selection, chosen)),
        seen=len(sequences),
        next=sequences[-1] if len(sequences) == limit else None,
    )


def stored_states(state: DeliveryState | None) -> tuple[str, ...]:
    """Return the stored states that a selection of this state stands for."""
    if state is None:
        return tuple(undelivered.value for undelivered in UNDELIVERED_STATES)
    return (OPEN,) if state in OPEN_STATES else (state.value,)


def _next_sequences(connection: Connection, selection: Selection, after: int, limit: int) -> list[int]:
    """Return the next events that may have something to replay.

    What is undelivered or foreign is rare: of these the next ones are found by partial indexes.
    """
    next_events = select(events.c.id).where(events.c.id > after).order_by(events.c.id).limit(limit)
    if selection.includes_missing or selection.state not in (None, *UNDELIVERED_STATES):
        return list(connection.execute(next_events).scalars())
    query = select(deliveries.c.event).where(text(UNDELIVERED), deliveries.c.event > after).distinct()
    undelivered = list(connection.execute(query.order_by(deliveries.c.event).limit(limit)).scalars())
    if selection.state is not None:
        return undelivered
    foreign = connection.execute(next_events.where(text("is_foreign"))).scalars()
    return list(islice(dict.fromkeys(merge(undelivered, foreign)), limit))


def _rows(connection: Connection, sequences: Sequence[int]) -> list[Row[*tuple[object, ...]]]:
    return [row for ids in chunks(sequences) for row in connection.execute(_COLUMNS.where(events.c.id.in_(ids)))]


def _is_selected(row: Row[*tuple[object, ...]], selection: Selection) -> bool:
    if selection.since is not None and row.received_at < selection.since:
        return False
    if selection.until is not None and row.received_at >= selection.until:
        return False
    return type_matches(row.type, selection.types or (ALL_TYPES,))


def _deliveries_of(
    connection: Connection, now: datetime, selection: Selection, sequences: Sequence[int]
) -> list[int]:
    """Return the deliveries to replay; of the open ones only those that wait for a later attempt."""
    if selection.state is DeliveryState.IN_FLIGHT:
        return []
    query = select(deliveries.c.id).where(deliveries.c.state.in_(stored_states(selection.state)))
    if selection.destination is not None:
        query = query.where(deliveries.c.destination == selection.destination)
    if selection.state in OPEN_STATES:
        query = query.where(_has_delayed_job(now))
    return [
        row_id
        for ids in chunks(sequences)
        for row_id in connection.execute(query.where(deliveries.c.event.in_(ids))).scalars()
    ]


def _has_delayed_job(now: datetime) -> ColumnElement[bool]:
    queue = literal(DELIVER_QUEUE) + deliveries.c.destination
    return exists().where(jobs.c.queue == queue, jobs.c.subject == deliveries.c.id, is_delayed(now))


def _without_delivery(
    connection: Connection, selection: Selection, rows: Sequence[Row[*tuple[object, ...]]]
) -> list[int]:
    """Return which of these events have no delivery to the destination of the selection, if it asks for these."""
    if not selection.includes_missing:
        return []
    ours = [row.id for row in rows if not row.is_foreign]
    query = select(deliveries.c.event).where(deliveries.c.destination == selection.destination)
    pieces = [query.where(deliveries.c.event.in_(ids)) for ids in chunks(ours)]
    have = {sequence for piece in pieces for sequence in connection.execute(piece).scalars()}
    return [sequence for sequence in ours if sequence not in have]


def _load_events(connection: Connection, sequences: Sequence[int]) -> list[Event]:
    query = select(events)
    return [
        event_of(row) for ids in chunks(sequences) for row in connection.execute(query.where(events.c.id.in_(ids)))
    ]
