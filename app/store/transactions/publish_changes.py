"""Makes events of changes of messages, with their deliveries: as the owner of the split job, in the order of commits.

A change whose message is being erased is left to the transaction that erases it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from app.domain.split import SplitEvent
from app.store.engine.bulk_insert import allocate_ids
from app.store.tables.events import key_of
from app.store.tables.message_schema import message_changes
from app.store.tables.schema import events
from app.store.tables.types import chunks
from app.store.transactions.add_deliveries import add_deliveries
from app.store.transactions.split_receipts import INSERT_EVENTS, event_row

NO_RECEIPT = 0
_LOCK = (
    select(message_changes.c.id)
    .where(message_changes.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(message_changes.c.id)
    .with_for_update(skip_locked=True)
)


def publish_changes(connection: Connection, now: datetime, published: Mapping[int, SplitEvent | None]) -> int:
    """Add these events, given by the rows of their changes, and delete the changes. Return how many there were.

    A change that is given without an event is deleted only.
    The caller holds the claim on the split job.
    """
    found = [
        row_id for ids in chunks(sorted(published)) for row_id in connection.execute(_LOCK, {"ids": ids}).scalars()
    ]
    if not found:
        return 0
    _add_events(connection, now, [event for row in found if (event := published[row]) is not None])
    for ids in chunks(found):
        connection.execute(delete(message_changes).where(message_changes.c.id.in_(ids)))
    return len(found)


def _add_events(connection: Connection, now: datetime, new: Sequence[SplitEvent]) -> None:
    if not new:
        return
    numbered = list(zip(allocate_ids(connection, events, len(new)), new, strict=True))
    rows = [event_row(sequence, _key(event), event, now, NO_RECEIPT) for sequence, event in numbered]
    INSERT_EVENTS.execute(connection, rows)
    add_deliveries(connection, now, [(sequence, event.deliveries) for sequence, event in numbered])


def _key(event: SplitEvent) -> bytes:
    key = key_of(event.event.id)
    assert key is not None, "an event has an id of ours"
    return key
