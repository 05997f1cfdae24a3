"""Deletes old messages, keys, conversations and links, a limited number in each transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, tuple_

from app.domain.message import UNFINISHED
from app.store.tables.message_schema import contact_links, conversations, early_statuses, idempotency_keys, messages
from app.store.tables.messages import numbers_without_answer
from app.store.tables.sending_schema import send_pairs
from app.store.tables.types import MAX_ROW_ID
from app.store.transactions.erase_messages import delete_messages
from app.store.transactions.prune import STEP_ROWS, Plan


def plan_messages(connection: Connection, before: datetime, after: int) -> Plan:
    """Choose the next messages that were accepted before this time and are over."""
    columns = messages.c.id, messages.c.created_at, messages.c.status
    query = select(*columns).where(messages.c.id > after).order_by(messages.c.id).limit(STEP_ROWS)
    page = connection.execute(query).all()
    old = [row for row in page if row.created_at < before]
    ids = [row.id for row in old if row.status not in UNFINISHED]
    return Plan(ids, page[-1].id if old and len(page) == STEP_ROWS else None)


def prune_messages(connection: Connection, now: datetime, ids: Sequence[int]) -> int:
    """Delete these messages and return how many there were."""
    query = select(messages.c.id, messages.c.phone_number_id).where(messages.c.id.in_(ids)).order_by(messages.c.id)
    return delete_messages(connection, now, connection.execute(query).all())


def prune_keys(connection: Connection, before: datetime) -> int:
    """Delete some idempotency keys that were reserved before this time; return how many."""
    table = idempotency_keys.c
    query = select(table.sha256).where(table.created_at < before).order_by(table.created_at).limit(STEP_ROWS)
    locked = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    return connection.execute(delete(idempotency_keys).where(table.sha256.in_(locked))).rowcount


@dataclass(frozen=True)
class EarlyStatusesKept:
    """Which statuses wait for an answer: all those from `before` on; of a number with a message whose answer may
    still come, `most` of those from `longest` on, the oldest.
    """

    before: datetime
    longest: datetime
    most: int


def plan_early_statuses(connection: Connection, kept: EarlyStatusesKept, after: int) -> Plan:
    """Choose the next statuses that have waited too long, or are too many: the oldest are next to a lost answer."""
    table = early_statuses.c
    columns = table.id, table.at, table.phone_number_id
    page = connection.execute(select(*columns).where(table.id > after).order_by(table.id).limit(STEP_ROWS)).all()
    old = [row for row in page if row.at < kept.before]
    unanswered = numbers_without_answer(connection) if old else set()
    ends = {
        number: _row_behind(connection, number, kept.most)
        for number in unanswered.intersection(row.phone_number_id for row in old)
    }
    ids = [row.id for row in old if row.at < kept.longest or row.id >= ends.get(row.phone_number_id, 0)]
    return Plan(ids, page[-1].id if old and len(page) == STEP_ROWS else None)


def _row_behind(connection: Connection, number: str, most: int) -> int:
    """Return the row id of the number's first status after its `most` oldest ones."""
    table = early_statuses.c
    rows = select(table.id).where(table.phone_number_id == number).order_by(table.id)
    found = connection.execute(rows.offset(most).limit(1)).scalar_one_or_none()
    return MAX_ROW_ID if found is None else found


def prune_early_statuses(connection: Connection, ids: Sequence[int]) -> int:
    """Delete those of these statuses that still wait; return how many."""
    table = early_statuses.c
    query = select(table.id).where(table.id.in_(ids)).order_by(table.id)
    locked = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    return connection.execute(delete(early_statuses).where(table.id.in_(locked))).rowcount


def prune_pairs(connection: Connection, before: datetime) -> int:
    """Delete some paces of customers that hold nothing back since this time; return how many."""
    table, key = send_pairs.c, (send_pairs.c.phone_number_id, send_pairs.c.contact)
    is_free = (table.full_at < before) & (table.paused_until.is_(None) | (table.paused_until < before))
    query = select(*key).where(is_free).limit(STEP_ROWS).with_for_update(skip_locked=True)
    locked = [tuple(row) for row in connection.execute(query)]
    return connection.execute(delete(send_pairs).where(tuple_(*key).in_(locked))).rowcount


def prune_conversations(connection: Connection, before: datetime) -> int:
    """Delete some conversations in which nothing has happened since this time; return how many."""
    key = (conversations.c.phone_number_id, conversations.c.contact)
    query = (
        select(*key).where(conversations.c.updated_at < before).order_by(conversations.c.updated_at).limit(STEP_ROWS)
    )
    locked = [tuple(row) for row in connection.execute(query.with_for_update(skip_locked=True))]
    return connection.execute(delete(conversations).where(tuple_(*key).in_(locked))).rowcount


def lone_links(connection: Connection) -> Sequence[str]:
    """Return some names that are linked to a contact without a conversation."""
    has_none = ~exists().where(conversations.c.contact == contact_links.c.contact)
    return connection.execute(select(contact_links.c.name).where(has_none).limit(STEP_ROWS)).scalars().all()


def prune_links(connection: Connection, names: Sequence[str]) -> int:
    """Delete the links of these names; return how many there were."""
    query = select(contact_links.c.name).where(contact_links.c.name.in_(names)).order_by(contact_links.c.name)
    locked = connection.execute(query.with_for_update()).scalars().all()
    return connection.execute(delete(contact_links).where(contact_links.c.name.in_(locked))).rowcount
