"""Adding events: what the splitter found in receipts, with the deliveries of what is new, in one transaction.

Whether an event is new is looked up in the transaction that adds it, and only who holds the splitting job may: so
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
from app.store.tables.chunks import chunks
from app.store.tables.events import document_of, key_of
from app.store.tables.receipts import row_id_of
from app.store.tables.schema import events, forgotten_events, jobs, receipt_errors, receipts
from app.store.tables.types import printable_excerpt
from app.store.transactions.enqueue import put_deliveries

_EVENTS = insert(events).returning(events.c.id, events.c.event_id)
_RECEIPT = (
    update(receipts)
    .where(receipts.c.id == bindparam("row_id"))
    .values(state=bindparam("new_state"), events=bindparam("found"))
)
_KNOWN = tuple(
    select(column).where(column.in_(bindparam("keys", expanding=True)))
    for column in (events.c.event_id, forgotten_events.c.event_id)
)
_MINE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"), jobs.c.claim_id == bindparam("fence"))
    .values(due_at=bindparam("until"))
)

Fresh = dict[bytes, tuple[SplitEvent, PendingReceipt]]


def hold_claim(connection: Connection, job: Job, until: datetime) -> None:
    """Go on only as the owner of this job, and keep it until then."""
    if connection.execute(_MINE, {"job_id": job.id, "fence": job.claim_id, "until": until}).rowcount == 0:
        raise ClaimLost


def add_events(connection: Connection, now: datetime, split: Sequence[SplitReceipt]) -> list[SplitCount]:
    """Keep what is new and make its deliveries, and note what became of each receipt; how much was new in each."""
    known = _known(connection, sorted({_key(found) for one in split for found in one.events}))
    fresh: Fresh = {}
    counts = [_sort_out(one, known, fresh) for one in split]
    sequences = _add(connection, fresh)
    put_deliveries(connection, now, [(sequences[key], found.deliveries) for key, (found, _) in fresh.items()])
    _note_receipts(connection, split)
    return counts


def _sort_out(one: SplitReceipt, known: set[bytes], fresh: Fresh) -> SplitCount:
    """Add to the fresh ones what is new in this receipt."""
    before = len(fresh)
    for found in one.events:
        if (key := _key(found)) not in known:
            fresh.setdefault(key, (found, one.receipt))
    new = len(fresh) - before
    return SplitCount(new, len(one.events) - new)


def _key(found: SplitEvent) -> bytes:
    key = key_of(found.event.id)
    assert key is not None, "an event has an id of ours"
    return key


def _known(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Those of the keys that are here, or were erased."""
    return {
        bytes(key)
        for some in chunks(keys)
        for query in _KNOWN
        for key in connection.execute(query, {"keys": some}).scalars()
    }


def _add(connection: Connection, fresh: Fresh) -> dict[bytes, int]:
    """The sequences, by key."""
    rows = [_row(key, found, receipt) for key, (found, receipt) in fresh.items()]
    if not rows:
        return {}
    return {bytes(row.event_id): row.id for row in connection.execute(_EVENTS, rows)}


def _row(key: bytes, found: SplitEvent, receipt: PendingReceipt) -> dict[str, Any]:
    event = found.event
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
        "is_foreign": found.foreign,
        "document": document_of(event),
    }


def _note_receipts(connection: Connection, split: Sequence[SplitReceipt]) -> None:
    """In the order of their ids, as they came: whoever else changes several receipts does so in this order."""
    rows = [
        {
            "row_id": row_id_of(one.receipt.id),
            "new_state": (ReceiptState.SPLIT if one.unreadable is None else ReceiptState.UNREADABLE).value,
            "found": len(one.events),
        }
        for one in split
    ]
    reasons = [
        {"receipt": row_id_of(one.receipt.id), "reason": printable_excerpt(one.unreadable)}
        for one in split
        if one.unreadable is not None
    ]
    if rows:
        connection.execute(_RECEIPT, rows)
    if reasons:
        connection.execute(
            delete(receipt_errors).where(receipt_errors.c.receipt.in_([r["receipt"] for r in reasons]))
        )
        connection.execute(insert(receipt_errors), reasons)
