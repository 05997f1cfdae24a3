"""The list of messages both ways, newest first: those to customers and those of customers, which are events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import accumulate, islice, takewhile

from sqlalchemy import Connection

from app.domain.event import Event
from app.domain.message import Message, MessageStatus
from app.store.tables.conversations import every_contact_number, every_name
from app.store.tables.events import PAGE_BYTES
from app.store.tables.inbound_messages import InboundFilter, InboundRow, load_inbound, newest_inbound
from app.store.tables.messages import MessageFilter, page_of_messages
from app.store.tables.types import MAX_ROW_ID

Listed = Message | InboundRow


@dataclass(frozen=True)
class MessagePlace:
    """Where a page ends: the row of its last outbound message, and the sequence of its last inbound event."""

    message: int = MAX_ROW_ID
    event: int = MAX_ROW_ID


@dataclass(frozen=True)
class MessageQuery:
    """Which messages to list: one way or both, with a status (of those to customers), of a contact, of a number."""

    outbound: bool = True
    inbound: bool = True
    status: MessageStatus | None = None
    contact: str | None = None
    phone_number_id: str | None = None
    before: MessagePlace = MessagePlace()
    limit: int = 50


@dataclass(frozen=True)
class MessagePage:
    """Messages, newest first. `next`: where the next page begins; None if there is none."""

    items: list[Message | Event]
    next: MessagePlace | None


def page_both_ways(connection: Connection, query: MessageQuery) -> MessagePage:
    """Return a page of the list.

    Each table is read in the order of its rows, and the two are merged by time. Following the pages neither repeats
    nor skips a message, whatever is added meanwhile.
    """
    one_way: list[list[Listed]] = [[*_outbound(connection, query)], [*_inbound(connection, query)]]
    found = list(islice(merge(*one_way, key=_time, reverse=True), query.limit + 1))
    taken = found[: _fitting(found[: query.limit])]
    loaded = load_inbound(connection, (row for row in taken if isinstance(row, InboundRow)))
    items = [loaded.get(row.sequence) if isinstance(row, InboundRow) else row for row in taken]
    has_more = len(found) > len(taken)
    return MessagePage([item for item in items if item is not None], _end(query.before, taken) if has_more else None)


def _outbound(connection: Connection, query: MessageQuery) -> list[Message]:
    if not query.outbound:
        return []
    contacts = None if query.contact is None else every_contact_number(connection, [query.contact])
    before, limit = query.before.message, query.limit + 1
    return page_of_messages(connection, MessageFilter(query.status, contacts, query.phone_number_id, before, limit))


def _inbound(connection: Connection, query: MessageQuery) -> list[InboundRow]:
    if not query.inbound:
        return []
    names = None if query.contact is None else sorted(every_name(connection, query.contact))
    before, limit = query.before.event, query.limit + 1
    return newest_inbound(connection, InboundFilter(names, query.phone_number_id, before, limit))


def _time(row: Listed) -> datetime:
    return row.received_at if isinstance(row, InboundRow) else row.created_at


def _fitting(rows: Iterable[Listed]) -> int:
    """Return how many of these rows fit into the bytes that one page may load: at least one."""
    totals = accumulate(row.size if isinstance(row, InboundRow) else 0 for row in rows)
    return max(1, sum(1 for _ in takewhile(lambda total: total <= PAGE_BYTES, totals)))


def _end(place: MessagePlace, taken: Iterable[Listed]) -> MessagePlace:
    for row in taken:
        if isinstance(row, InboundRow):
            place = replace(place, event=row.sequence)
        else:
            place = replace(place, message=row.row_id)
    return place
