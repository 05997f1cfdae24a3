"""Adds the events that were found in receipts, with the deliveries of the new ones, in one transaction.

The transaction itself looks up which events are new, and only the owner of the split job may run it. Therefore
sequences follow the order of commits, and no event is added twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, null, select, union_all, update

from app.domain.event import NewEvent
from app.domain.job import Job
from app.domain.meta.edit import edit_id, is_edit
from app.domain.meta.media import Media
from app.domain.meta.names import names_of
from app.domain.meta.status_update import status_update
from app.domain.meta.touch import touch_of
from app.domain.receipt import ReceiptState
from app.domain.split import PendingReceipt, SplitCount, SplitEvent, SplitReceipt
from app.domain.trace import TraceContext
from app.store.engine.bulk_insert import BulkInsert, allocate_ids
from app.store.engine.bulk_update import BulkUpdate
from app.store.engine.errors import ClaimLost
from app.store.engine.one_of import one_of
from app.store.tables.events import document_of, item_of, key_of
from app.store.tables.receipts import lock_receipts, row_id_of
from app.store.tables.schema import erased_events, event_names, events, jobs, receipt_errors, receipts
from app.store.tables.types import chunks, printable_excerpt
from app.store.transactions.add_deliveries import add_deliveries
from app.store.transactions.apply_refusals import change_paces, pause_scopes
from app.store.transactions.apply_statuses import apply_statuses
from app.store.transactions.follow_media import add_media
from app.store.transactions.touch_conversations import touch_conversations

INSERT_EVENTS = BulkInsert(
    events,
    "id",
    "event_id",
    "type",
    "occurred_at",
    "received_at",
    "receipt",
    "waba_id",
    "phone_number_id",
    "wa_id",
    "user_id",
    "is_foreign",
    "document",
    "trace",
)
_INSERT_NAMES = BulkInsert(event_names, "event", "name")
_RECORD = BulkUpdate(receipts, "state", "events", "differing")
_KNOWN = union_all(
    select(events.c.event_id, events.c.document).where(one_of(events.c.event_id, "keys")),
    select(erased_events.c.event_id, null()).where(one_of(erased_events.c.event_id, "keys")),
)
"""The documents of known events; an erased one has none."""

_EXTEND_LEASE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"), jobs.c.claim_id == bindparam("fence"))
    .values(due_at=bindparam("until"))
)

ERASED = object()
"""The item of an erased event, of which only the id is remembered."""

Items = dict[bytes, Any]
"""Raw items of known events by key, or `ERASED`."""

NewEvents = dict[bytes, tuple[SplitEvent, PendingReceipt]]
"""New events by key, each with the receipt that it was found in."""


def hold_claim(connection: Connection, job: Job, until: datetime) -> None:
    """Lock the job and extend its lease. Raise `ClaimLost` if another worker has claimed it."""
    values = {"job_id": job.id, "fence": job.claim_id, "until": until}
    if connection.execute(_EXTEND_LEASE, values).rowcount == 0:
        raise ClaimLost


def add_events(
    connection: Connection, now: datetime, split: Sequence[SplitReceipt], database_id: str, account: str | None
) -> list[SplitCount]:
    """Add the new events and their deliveries, apply what they say of messages, and record each receipt's state.

    Return for each receipt how many of its events were new. The caller holds the claim on the split job. `account`:
    that of every number of the profile, if it lists one only.
    """
    keys = _keys(split)
    items = _known_items(connection, keys)
    split = _identify_edits(split, items)
    items |= _known_items(connection, _keys(split) - keys)
    new: NewEvents = {}
    counts = [_collect_new(receipt, items, new) for receipt in split]
    sequences = _insert_events(connection, new)
    add_deliveries(connection, now, [(sequences[key], event.deliveries) for key, (event, _) in new.items()])
    add_media(connection, now, _media(new, sequences))
    ours = [event.event for event, _ in new.values() if not event.foreign]
    change_paces(connection, now, ours, account)
    _follow_messages(connection, now, database_id, ours)
    pause_scopes(connection, now, ours)
    _record_receipts(connection, list(zip(split, counts, strict=True)))
    return counts


def _identify_edits(split: Sequence[SplitReceipt], items: Items) -> list[SplitReceipt]:
    """Return the receipts with an id of its own for each event whose content is not that of the known event."""
    first = dict(items)

    def identified(event: SplitEvent) -> SplitEvent:
        earlier_item = first.setdefault(key_of_event(event), event.event.raw)
        if earlier_item is ERASED or not is_edit(event.event, earlier_item):
            return event
        return replace(event, event=replace(event.event, id=edit_id(event.event)))

    return [replace(receipt, events=[identified(event) for event in receipt.events]) for receipt in split]


def _collect_new(split: SplitReceipt, items: Items, new: NewEvents) -> SplitCount:
    """Add to `new` and to `items` the events of this receipt that are not known yet."""
    before, differing = len(new), 0
    for event in split.events:
        key = key_of_event(event)
        if key not in items:
            items[key] = event.event.raw
            new[key] = (event, split.receipt)
        elif items[key] is not ERASED and items[key] != event.event.raw:
            differing += 1
    added = len(new) - before
    return SplitCount(added, len(split.events) - added, differing)


def _keys(split: Sequence[SplitReceipt]) -> set[bytes]:
    return {key_of_event(event) for receipt in split for event in receipt.events}


def _row_id(split: SplitReceipt) -> int:
    row_id = row_id_of(split.receipt.id)
    assert row_id is not None, "a receipt has an id of ours"
    return row_id


def _known_items(connection: Connection, keys: Collection[bytes]) -> Items:
    """Return the items of those of the keys that belong to a stored or an erased event."""
    items: Items = {}
    for chunk in chunks(sorted(keys)):
        for key, document in connection.execute(_KNOWN, {"keys": chunk}):
            if document is None:
                items[bytes(key)] = ERASED
            else:
                items.setdefault(bytes(key), item_of(document))
    return items


def _insert_events(connection: Connection, new: NewEvents) -> dict[bytes, int]:
    """Insert the events with their names, and return their sequences by key."""
    if not new:
        return {}
    sequences = dict(zip(new, allocate_ids(connection, events, len(new)), strict=True))
    rows = [
        event_row(sequences[key], key, event, receipt.received_at, row_id_of(receipt.id), receipt.trace)
        for key, (event, receipt) in new.items()
    ]
    INSERT_EVENTS.execute(connection, rows)
    names = [
        (sequences[key], name)
        for key, (event, _) in new.items()
        for name in names_of(event.event) - {event.event.contact.wa_id, event.event.contact.user_id}
    ]
    _INSERT_NAMES.execute(connection, names)
    return sequences


def _media(new: NewEvents, sequences: dict[bytes, int]) -> list[tuple[int, str | None, Media]]:
    """Return the files to fetch, each with the sequence and the phone number id of its event."""
    return [
        (sequences[key], event.event.phone_number_id, media)
        for key, (event, _) in new.items()
        for media in event.media
    ]


def _follow_messages(connection: Connection, now: datetime, database_id: str, new: Sequence[NewEvent]) -> None:
    """Apply what new events say of messages of ours, and of the conversations with customers."""
    updates = [update for event in new if (update := status_update(event)) is not None]
    touches = apply_statuses(connection, now, database_id, updates)
    touches += [touch for event in new if (touch := touch_of(event)) is not None]
    touch_conversations(connection, now, touches)


def key_of_event(event: SplitEvent) -> bytes:
    """Return the key of an event that is about to be added."""
    key = key_of(event.event.id)
    assert key is not None, "an event has an id of ours"
    return key


def event_row(
    sequence: int,
    key: bytes,
    split: SplitEvent,
    received_at: datetime,
    receipt: int | None,
    trace: TraceContext | None,
) -> tuple[Any, ...]:
    """Return the row of an event; `receipt` is the row of its receipt, `trace` what its deliveries follow."""
    event = split.event
    return (
        sequence,
        key,
        event.type,
        event.occurred_at,
        received_at,
        receipt,
        event.waba_id,
        event.phone_number_id,
        event.contact.wa_id,
        event.contact.user_id,
        split.foreign,
        document_of(event),
        None if trace is None else trace.packed,
    )


def _record_receipts(connection: Connection, counted: Sequence[tuple[SplitReceipt, SplitCount]]) -> None:
    """Record the state and the counts of each receipt, and why it is unreadable if it is."""
    rows = [
        (
            _row_id(receipt),
            (ReceiptState.SPLIT if receipt.unreadable is None else ReceiptState.UNREADABLE).value,
            len(receipt.events),
            count.differing,
        )
        for receipt, count in counted
    ]
    errors = [
        {"receipt": _row_id(receipt), "reason": printable_excerpt(receipt.unreadable)}
        for receipt, _ in counted
        if receipt.unreadable is not None
    ]
    lock_receipts(connection, [row[0] for row in rows])
    _RECORD.execute(connection, rows)
    if errors:
        ids = [error["receipt"] for error in errors]
        connection.execute(delete(receipt_errors).where(receipt_errors.c.receipt.in_(ids)))
        connection.execute(insert(receipt_errors), errors)
