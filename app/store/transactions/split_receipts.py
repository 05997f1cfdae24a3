"""Adds the events that were found in receipts, with the deliveries of the new ones, in one transaction.

The transaction itself looks up which events are new, and only the owner of the split job may run it. Therefore
sequences follow the order of commits, and no event is added twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from app.domain.job import Job
from app.domain.receipt import ReceiptState
from app.domain.split import PendingReceipt, SplitCount, SplitEvent, SplitReceipt
from app.store.engine.errors import ClaimLost
from app.store.tables.events import document_of, key_of
from app.store.tables.receipts import row_id_of
from app.store.tables.schema import erased_events, events, jobs, receipt_errors, receipts
from app.store.tables.types import chunks, printable_excerpt
from app.store.transactions.add_deliveries import add_deliveries

_INSERT_EVENTS = insert(events).returning(events.c.id, events.c.event_id)
_UPDATE_RECEIPT = (
    update(receipts)
    .where(receipts.c.id == bindparam("row_id"))
    .values(state=bindparam("new_state"), events=bindparam("event_count"))
)
_KNOWN = tuple(
    select(column).where(column.in_(bindparam("keys", expanding=True)))
    for column in (events.c.event_id, erased_events.c.event_id)
)
_EXTEND_LEASE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"), jobs.c.claim_id == bindparam("fence"))
    .values(due_at=bindparam("until"))
)

NewEvents = dict[bytes, tuple[SplitEvent, PendingReceipt]]
"""New events by key, each with the receipt that it was found in."""


def hold_claim(connection: Connection, job: Job, until: datetime) -> None:
    """Lock the job and extend its lease. Raise `ClaimLost` if another worker has claimed it."""
    values = {"job_id": job.id, "fence": job.claim_id, "until": until}
    if connection.execute(_EXTEND_LEASE, values).rowcount == 0:
        raise ClaimLost


def add_events(connection: Connection, now: datetime, split: Sequence[SplitReceipt]) -> list[SplitCount]:
    """Add the new events and their deliveries, and record the state of each receipt.

    Return for each receipt how many of its events were new. The caller holds the claim on the split job.
    """
    known = _known(connection, sorted({_key(event) for one in split for event in one.events}))
    new: NewEvents = {}
    counts = [_collect_new(one, known, new) for one in split]
    sequences = _insert_events(connection, new)
    add_deliveries(connection, now, [(sequences[key], event.deliveries) for key, (event, _) in new.items()])
    _record_receipts(connection, sorted(split, key=_row_id))
    return counts


def _collect_new(one: SplitReceipt, known: set[bytes], new: NewEvents) -> SplitCount:
    """Add to `new` the events of this receipt that are neither known nor in it already."""
    before = len(new)
    for event in one.events:
        if (key := _key(event)) not in known:
            new.setdefault(key, (event, one.receipt))
    added = len(new) - before
    return SplitCount(added, len(one.events) - added)


def _key(event: SplitEvent) -> bytes:
    key = key_of(event.event.id)
    assert key is not None, "an event has an id of ours"
    return key


def _row_id(one: SplitReceipt) -> int:
    row_id = row_id_of(one.receipt.id)
    assert row_id is not None, "a receipt has an id of ours"
    return row_id


def _known(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Return those of the keys that belong to a stored or an erased event."""
    return {
        bytes(key)
        for some in chunks(keys)
        for query in _KNOWN
        for key in connection.execute(query, {"keys": some}).scalars()
    }


def _insert_events(connection: Connection, new: NewEvents) -> dict[bytes, int]:
    """Insert the events and return their sequences by key."""
    rows = [_row(key, event, receipt) for key, (event, receipt) in new.items()]
    if not rows:
        return {}
    return {bytes(row.event_id): row.id for row in connection.execute(_INSERT_EVENTS, rows)}


def _row(key: bytes, split: SplitEvent, receipt: PendingReceipt) -> dict[str, Any]:
    event = split.event
    return {
        "event_id": key,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "received_at": receipt.received_at,
        "receipt": row_id_of(receipt.id),
        "waba_id": event.waba_id,
        "phone_number_id": event.phone_number_id,
        "wa_id": event.contact.wa_id,
        "user_id": event.contact.user_id,
        "is_foreign": split.foreign,
        "document": document_of(event),
    }


def _record_receipts(connection: Connection, split: Sequence[SplitReceipt]) -> None:
    """Record the state of each receipt, and why it is unreadable if it is."""
    rows = [
        {
            "row_id": _row_id(one),
            "new_state": (ReceiptState.SPLIT if one.unreadable is None else ReceiptState.UNREADABLE).value,
            "event_count": len(one.events),
        }
        for one in split
    ]
    errors = [
        {"receipt": _row_id(one), "reason": printable_excerpt(one.unreadable)}
        for one in split
        if one.unreadable is not None
    ]
    if rows:
        connection.execute(_UPDATE_RECEIPT, rows)
    if errors:
        ids = [error["receipt"] for error in errors]
        connection.execute(delete(receipt_errors).where(receipt_errors.c.receipt.in_(ids)))
        connection.execute(insert(receipt_errors), errors)
