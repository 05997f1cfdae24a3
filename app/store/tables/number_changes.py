"""Whose an event of a changed phone number is that names no user id, as Meta sends it for most customers.

The old number may be another customer's by now, and the new one may have been another's before. So the owner is the
last user who was seen under the old number before the change, or else the first one under the new number after it.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from app.domain.meta.names import CHANGES
from app.store.tables.schema import event_names, events

_UNNAMED = select(events.c.id, events.c.document).where(events.c.type.in_(CHANGES), events.c.user_id.is_(None))

_UNINDEXED_ID = events.c.id + 0
"""In the order of the ids themselves PostgreSQL reads events by their primary key until it meets one of the number:
for a number that no user had, every event."""


def own_changes(
    connection: Connection, numbers: Sequence[str], owners: Collection[str]
) -> Mapping[str, Collection[int]]:
    """Return the changes from or to these numbers whose owner is one of `owners`: their events by both numbers."""
    own = defaultdict(set)
    for row in {row.id: row for number in numbers for row in _found(connection, _UNNAMED, number)}.values():
        previous, current = _numbers(row)
        if _owner(connection, row.id, previous, current) in owners:
            own[previous].add(row.id)
            own[current].add(row.id)
    return own


def _numbers(row: Row[*tuple[Any, ...]]) -> tuple[str, str]:
    """Return the number before and after the change; an empty text if it is not named."""
    data = json.loads(bytes(row.document))["data"]
    previous, current = ((data.get(version) or {}).get("waId") for version in ("previous", "current"))
    return (previous or "").removeprefix("+"), (current or "").removeprefix("+")


def _owner(connection: Connection, change: int, previous: str, current: str) -> str | None:
    named = select(events.c.id, events.c.user_id).where(events.c.user_id.is_not(None))
    before = named.where(events.c.id < change).order_by(_UNINDEXED_ID.desc()).limit(1)
    after = named.where(events.c.id > change).order_by(_UNINDEXED_ID).limit(1)
    last = max(_found(connection, before, previous), key=lambda row: row.id, default=None)
    first = min(_found(connection, after, current), key=lambda row: row.id, default=None)
    seen = last or first
    return None if seen is None else seen.user_id


def _found(connection: Connection, query: Select[Any], number: str) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of events with this number: two queries, so that each uses an index."""
    named: ColumnElement[bool] = events.c.id.in_(select(event_names.c.event).where(event_names.c.name == number))
    for condition in (events.c.wa_id == number, named):
        yield from connection.execute(query.where(condition))
