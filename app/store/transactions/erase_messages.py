"""Erases a contact's messages with their jobs; and, once its events are gone, its conversations and links of names.

The links lead from one name to the events of the others. While there is a conversation, nothing else deletes them, so
that an erasure that was broken off can be gone on with at any time.

A claimed job goes too: what its worker is sending is sent, and nothing of it is recorded. Idempotency keys stay; they
are digests, and keep a late repeat from being sent.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select, tuple_

from app.domain.content_scope import contact_of_scope
from app.domain.erasure import ContactName, EraseStep
from app.domain.message import contact_number, queue_of_number
from app.store.engine.sqlite_marks import Mark, remove_mark
from app.store.tables.conversations import every_contact_number
from app.store.tables.jobs import find_jobs, lock_jobs
from app.store.tables.message_changes import delete_changes_of
from app.store.tables.message_schema import contact_links, conversations, messages
from app.store.tables.messages import lock_messages
from app.store.tables.queues import lock_queues
from app.store.tables.sending_schema import send_pairs, send_scopes
from app.store.tables.types import chunks
from app.store.transactions.enqueue import delete_jobs
from app.store.transactions.prune import STEP_ROWS

_PAIR = send_pairs.c.phone_number_id, send_pairs.c.contact

MessageRow = Row[*tuple[Any, ...]]
"""A message's row id and phone number id."""


def erase_messages(connection: Connection, now: datetime, names: Sequence[ContactName]) -> EraseStep:
    """Delete the next messages of the contact; return none once there are none."""
    contacts = _contacts(connection, names)
    query = select(messages.c.id, messages.c.phone_number_id).where(messages.c.contact.in_(contacts))
    rows = connection.execute(query.order_by(messages.c.id).limit(STEP_ROWS)).all()
    if rows:
        delete_messages(connection, now, rows)
    return EraseStep(messages=len(rows))


def delete_messages(connection: Connection, now: datetime, rows: Sequence[MessageRow]) -> int:
    """Delete these messages with their jobs, and return how many there were; the next job of each contact is due."""
    by_queue = defaultdict(list)
    for row in rows:
        by_queue[queue_of_number(row.phone_number_id)].append(row.id)
    lock_queues(connection, by_queue)
    locked = lock_jobs(connection, find_jobs(connection, by_queue))
    delete_jobs(connection, now, locked)
    existing = sorted(lock_messages(connection, [row.id for row in rows]))
    delete_changes_of(connection, existing)
    for ids in chunks(existing):
        connection.execute(delete(messages).where(messages.c.id.in_(ids)))
    return len(existing)


def delete_pairs(connection: Connection, chosen: Select[str, int]) -> int:
    """Delete these paces of customers, with the locks on the queues of their numbers; return how many."""
    pairs = [(row.phone_number_id, row.contact) for row in connection.execute(chosen)]
    if not pairs:
        return 0
    lock_queues(connection, {queue_of_number(number) for number, _ in pairs})
    return connection.execute(delete(send_pairs).where(tuple_(*_PAIR).in_(pairs))).rowcount


def _contacts(connection: Connection, names: Sequence[ContactName]) -> Collection[int]:
    """Return the contact's numbers. Under a phone number that may now be another's, only what names no user."""
    known = every_contact_number(connection, [name.text for name in names if not name.without_user_id])
    return known | {contact_number(name.text) for name in names if name.without_user_id}


def forget_contact(connection: Connection, names: Sequence[ContactName]) -> None:
    """Delete what is known of the contact beside its events and messages, which are gone."""
    contacts = _contacts(connection, names)
    delete_pairs(connection, select(*_PAIR).where(send_pairs.c.contact.in_(contacts)))
    _delete_links(connection, names, contacts)
    _delete_conversations(connection, contacts)
    _forget_marketing(connection, contacts)
    remove_mark(connection, Mark.GAPS_CLEAN)


def _delete_links(connection: Connection, names: Sequence[ContactName], contacts: Collection[int]) -> None:
    links = select(contact_links.c.name).where(
        contact_links.c.contact.in_(contacts) | contact_links.c.name.in_([name.text for name in names])
    )
    known = connection.execute(links.order_by(contact_links.c.name).with_for_update()).scalars().all()
    connection.execute(delete(contact_links).where(contact_links.c.name.in_(known)))


def _delete_conversations(connection: Connection, contacts: Collection[int]) -> None:
    of_contact = conversations.c.contact.in_(contacts)
    ordered = select(conversations.c.phone_number_id, conversations.c.contact).where(of_contact)
    key = conversations.c.phone_number_id, conversations.c.contact
    connection.execute(ordered.order_by(*key).with_for_update()).all()
    connection.execute(delete(conversations).where(of_contact))


def _forget_marketing(connection: Connection, contacts: Collection[int]) -> None:
    """Delete the pauses of marketing to these contacts, also those whose contact older code has not stored."""
    table = send_scopes.c
    known = connection.execute(select(table.name).where(table.contact.in_(contacts))).scalars().all()
    others = connection.execute(select(table.name).where(table.contact.is_(None))).scalars()
    names = [*known, *(name for name in others if contact_of_scope(name) in contacts)]
    for chunk in chunks(sorted(names)):
        of_contacts = select(table.name).where(table.name.in_(chunk)).order_by(table.name)
        connection.execute(of_contacts.with_for_update()).all()
        connection.execute(delete(send_scopes).where(table.name.in_(chunk)))
