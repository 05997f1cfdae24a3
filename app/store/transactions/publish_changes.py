"""Turns recorded changes of messages into events with their deliveries, and deletes the changes.

A change that another transaction has locked is skipped: that transaction is erasing its message.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from app.domain.split import SplitEvent
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import message_changes
from app.store.tables.types import chunks
from app.store.transactions.add_own_events import add_own_events

_LOCK = (
    select(message_changes.c.id)
    .where(one_of(message_changes.c.id, "ids"))
    .order_by(message_changes.c.id)
    .with_for_update(skip_locked=True)
)


def publish_changes(connection: Connection, now: datetime, published: Mapping[int, SplitEvent | None]) -> int:
    """Add the events in `published`, by the row ids of their changes; delete these changes, and return their number.

    A change whose event is None is only deleted. The caller holds the claim on the split job.
    """
    found = [
        row_id for ids in chunks(sorted(published)) for row_id in connection.execute(_LOCK, {"ids": ids}).scalars()
    ]
    if not found:
        return 0
    add_own_events(connection, now, [event for row in found if (event := published[row]) is not None])
    for ids in chunks(found):
        connection.execute(delete(message_changes).where(message_changes.c.id.in_(ids)))
    return len(found)
