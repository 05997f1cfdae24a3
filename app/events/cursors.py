"""Cursors of events: the sequence after which to continue, and the database that it belongs to.

In another database, or after a backup was restored, the same sequence stands for other events or for none yet. A
reader that continued there would miss events in silence, so such a cursor is refused.
"""

import re

from app.store import Store
from app.web.errors import ApiError
from app.web.paging import cursor_of, decoded_cursor

_FORM = re.compile(r"seq_(?P<sequence>0|[1-9][0-9]{0,17})(?:@(?P<database>[0-9a-f]{16}))?", re.ASCII)
_ACK = "Delete the consumer, or acknowledge a cursor of this database."
_START = "Begin with the oldest event, without a cursor, or with `latest`."


def event_cursor(store: Store, sequence: int) -> str:
    """Return the cursor after this sequence, opaque to clients."""
    return cursor_of(f"seq_{sequence}@{store.identity().id}")


def read_event_cursor(store: Store, cursor: str) -> int:
    """Return the sequence after which a cursor continues. Raises `ApiError` (400)."""
    form = decoded_cursor(cursor, _FORM)
    sequence, database = int(form["sequence"]), form["database"]
    if not _is_of_this_database(store, sequence, database):
        raise ApiError("invalid_cursor", f"The cursor is of another database. {_START}")
    if sequence > store.events.highest():
        raise ApiError("invalid_cursor", f"The cursor lies beyond the last event. {_START}")
    return sequence


def acknowledged_sequence(store: Store, consumer: str) -> int:
    """Return the sequence that a consumer has acknowledged. Raises `ApiError` (400) if no event has had it yet."""
    sequence = store.consumers.cursor(consumer)
    if sequence > store.events.highest():
        raise ApiError("invalid_cursor", f"The consumer's cursor lies beyond the last event. {_ACK}")
    return sequence


def _is_of_this_database(store: Store, sequence: int, database: str | None) -> bool:
    """Return whether a cursor is ours. One without a database is from before cursors named theirs."""
    identity = store.identity()
    if database is None:
        return sequence == 0 or identity.has_bare_cursors
    return database == identity.id
