"""Pages of events that a filter chooses, oldest or newest first. Every query uses an index, on a big table too.

`_residual` hides a column from the planner where another index must lead: a wrong guess would read the whole table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from app.domain.erasure import ContactName
from app.domain.event import ASKED_FOR_ONLY, Event, type_matches
from app.domain.event_filter import EVERY_EVENT, EventFilter
from app.store.tables.contact_names import find_names
from app.store.tables.events import ALL_TYPES, PAGE_BYTES, event_of, known_types, latest_sequence
from app.store.tables.receipts import row_id_of
from app.store.tables.schema import event_names, events
from app.store.tables.types import MAX_ROW_ID

WINDOW = 2000
"""How many sequences are searched first for a time range: a reader that keeps up finds its next events there."""

_Found = Select[tuple[int, int]]


@dataclass(frozen=True)
class Range:
    """Sequences from `first` to `last`, both included, and the order in which their events are read."""

    first: int = 1
    last: int = MAX_ROW_ID
    newest_first: bool = False

    def start(self, count: int) -> "Range":
        """Return the sequences that are read first: `count` at most."""
        if self.newest_first:
            return replace(self, first=max(self.first, self.last - count + 1))
        return replace(self, last=min(self.last, self.first + count - 1))


def page_of_events(connection: Connection, chosen: EventFilter, within: Range, limit: int) -> list[Event]:
    """Return the events of a range that the filter chooses: `limit` at most, fewer if they are large."""
    ids = _fitting(_first(connection, chosen, within, limit))
    query = select(events).where(events.c.id.in_(ids)).order_by(_ordered(events.c.id, within))
    return [event_of(row) for row in connection.execute(query)] if ids else []


def _fitting(candidates: Sequence[tuple[int, int]]) -> list[int]:
    """Return the ids of as many candidates as fit into `PAGE_BYTES`, but of at least one."""
    totals = accumulate(size for _, size in candidates)
    fitting = sum(1 for _ in takewhile(lambda total: total <= PAGE_BYTES, totals))
    return [row_id for row_id, _ in candidates[: max(1, fitting)]]


def _first(connection: Connection, chosen: EventFilter, within: Range, limit: int) -> Sequence[tuple[int, int]]:
    """Return ids and sizes of the chosen events that are read first.

    On PostgreSQL each statement sees what was committed before it began. Without a common upper end a later statement
    could find an event that comes after one which an earlier statement has missed.
    """
    if chosen == EVERY_EVENT:
        return _matching(connection, chosen, within, limit)
    within = replace(within, last=min(within.last, latest_sequence(connection)))
    if not chosen.has_times or chosen.is_of_few:
        return _matching(connection, chosen, within, limit)
    window = within.start(WINDOW)
    found = _matching(connection, chosen, window, limit)
    if len(found) == limit or window == within:
        return found
    return _matching(connection, chosen, narrowed(connection, chosen, within), limit)


def narrowed(connection: Connection, chosen: EventFilter, within: Range) -> Range:
    """Return the range between the first and the last of its events that were received in the filter's time.

    Sequences normally follow these times, but not after the clock was set, or a receipt was reprocessed.
    """
    at, sequence = events.c.received_at, _residual(events.c.id)
    query = select(func.min(sequence), func.max(sequence)).where(sequence.between(within.first, within.last))
    if chosen.since is not None:
        query = query.where(at >= chosen.since)
    if chosen.until is not None:
        query = query.where(at < chosen.until)
    first, last = connection.execute(query).one()
    return replace(within, first=first or 1, last=last or 0)


def _matching(connection: Connection, chosen: EventFilter, within: Range, limit: int) -> list[tuple[int, int]]:
    """Return ids and sizes, in the order of the range."""
    queries = _of_few(connection, chosen, within) if chosen.is_of_few else _of_many(connection, chosen, within)
    found = {row.id: row.size for query in queries for row in connection.execute(query.limit(limit))}
    return sorted(found.items(), reverse=within.newest_first)[:limit]


def _of_many(connection: Connection, chosen: EventFilter, within: Range) -> Iterator[_Found]:
    """Yield the queries of which each reads some events by an index that has them in the order of sequences."""
    sequence, number = events.c.id, chosen.phone_number_id
    query = _received(_found(), chosen).where(sequence.between(within.first, within.last))
    query = query.order_by(_ordered(sequence, within))
    if number is not None:
        query = query.where(events.c.phone_number_id == number)
    elif _wants_all(chosen):
        yield query.where(*_not_only_asked_for())
        return
    of_type = query.where(events.c.type == bindparam("of_type"))
    yield from (of_type.params(of_type=type_) for type_ in _types(connection, chosen))


def _of_few(connection: Connection, chosen: EventFilter, within: Range) -> Iterator[_Found]:
    """Yield the queries of which each reads all events of a receipt, or with one of a contact's names."""
    sequence = _residual(events.c.id)
    query = _received(_found(), chosen).where(sequence.between(within.first, within.last))
    query = query.order_by(_ordered(sequence, within))
    if chosen.phone_number_id is not None:
        query = query.where(_residual(events.c.phone_number_id) == chosen.phone_number_id)
    if _wants_all(chosen):
        query = query.where(*_not_only_asked_for())
    else:
        query = query.where(_residual(events.c.type).in_(_types(connection, chosen)))
    if chosen.receipt_id is not None:
        query = query.where(events.c.receipt == row_id_of(chosen.receipt_id))
    if chosen.contact is None:
        yield query
        return
    for name in find_names(connection, chosen.contact):
        yield from _of_name(query, name, receipt_leads=chosen.receipt_id is not None)


def _of_name(query: _Found, name: ContactName, *, receipt_leads: bool) -> Iterator[_Found]:
    if name.without_user_id:
        query = query.where(_residual(events.c.user_id).is_(None))
    wa_id, user_id = (_residual(column) if receipt_leads else column for column in (events.c.wa_id, events.c.user_id))
    yield query.where(wa_id == name.text)
    if not name.without_user_id:
        yield query.where(user_id == name.text)
    yield query.where(events.c.id == event_names.c.event, event_names.c.name == name.text)


def _found() -> _Found:
    return select(events.c.id, func.length(events.c.document).label("size"))


def _received(query: _Found, chosen: EventFilter) -> _Found:
    at = _residual(events.c.received_at)
    if chosen.since is not None:
        query = query.where(at >= chosen.since)
    return query if chosen.until is None else query.where(at < chosen.until)


def _types(connection: Connection, chosen: EventFilter) -> list[str]:
    """Return the stored types that the filter's globs match; those of its number, if it names one."""
    known = known_types(connection, chosen.phone_number_id)
    return [type_ for type_ in known if type_matches(type_, chosen.types or (ALL_TYPES,))]


def _wants_all(chosen: EventFilter) -> bool:
    """Return whether the filter chooses the events of every type, but for those that one must ask for."""
    asks = any(glob.startswith(ASKED_FOR_ONLY) for glob in chosen.types)
    return not chosen.types or (ALL_TYPES in chosen.types and not asks)


def _not_only_asked_for() -> list[ColumnElement[bool]]:
    return [_residual(events.c.type).not_like(f"{family}%") for family in ASKED_FOR_ONLY]


def _ordered(column: ColumnElement[Any], within: Range) -> ColumnElement[Any]:
    return column.desc() if within.newest_first else column.asc()


def _residual(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column's value, in a form for which no database uses an index."""
    return func.coalesce(column, column, type_=column.type)
