"""Adds the further names of events that older code has split: it knew no `event_names`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from app.store.tables.events import lock_events
from app.store.tables.further_names import further_names
from app.store.tables.schema import event_names, events
from app.store.transactions.prune import Plan

EVENTS_AT_ONCE = 500


@dataclass(frozen=True)
class AddedNames:
    """How many names a step added, and the sequence after which the next one continues; None: it was the last."""

    added: int
    next: int | None


_COLUMNS = events.c.id, events.c.wa_id, events.c.user_id, events.c.document


def plan_names(connection: Connection, after: int) -> Plan:
    """Choose those of the next events that have names which are not stored."""
    query = select(*_COLUMNS).where(events.c.id > after).order_by(events.c.id).limit(EVENTS_AT_ONCE)
    rows = connection.execute(query).all()
    ids = sorted({name["event"] for name in _missing(connection, rows)})
    return Plan(ids, rows[-1].id if len(rows) == EVENTS_AT_ONCE else None)


def add_names(connection: Connection, ids: Sequence[int]) -> int:
    """Add the missing names of these events, unless an event is deleted by now. Return how many were added."""
    lock_events(connection, ids)
    missing = _missing(connection, connection.execute(select(*_COLUMNS).where(events.c.id.in_(ids))).all())
    if missing:
        connection.execute(insert(event_names), missing)
    return len(missing)


def _missing(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    stored = select(event_names.c.event, event_names.c.name).where(event_names.c.event.in_(ids))
    known = {tuple(row) for row in connection.execute(stored)}
    return [
        {"event": row.id, "name": name}
        for row in rows
        for name in sorted(further_names(row))
        if (row.id, name) not in known
    ]
