"""Cursors of events: a reader's position, and the database that the cursor belongs to.

In another database, or after a backup was restored, the same sequence stands for other events or for none yet. A
reader that continued there would miss events in silence, so such a cursor is refused.
"""

import re

from app.domain.event import MARK_BYTES, Position
from app.store import Store
from app.web.errors import ApiError
from app.web.paging import cursor_of, decoded_cursor

_FORM = re.compile(
    r"(?P<order>seq|rev)_(?P<sequence>0|[1-9][0-9]{0,17})"
    rf"(?:@(?P<database>[0-9a-f]{{16}})(?:\.(?P<mark>[0-9a-f]{{{2 * MARK_BYTES}}}))?)?",
    re.ASCII,
)
_PREFIX = {False: "seq", True: "rev"}
_ACK = "Delete the consumer, or acknowledge a cursor of this database."
_START = "Begin with the oldest event, without a cursor, or with `latest`."


def event_cursor(store: Store, position: Position, *, newest_first: bool = False) -> str:
    """Return the cursor of this position, opaque to clients. It continues in one order only."""
    mark = "" if position.mark is None else f".{position.mark.hex()}"
    return cursor_of(f"{_PREFIX[newest_first]}_{position.sequence}@{store.identity().id}{mark}")


def read_event_cursor(store: Store, cursor: str, *, newest_first: bool = False) -> Position:
    """Return the position from which a cursor continues. Raises `ApiError` (400)."""
    form = decoded_cursor(cursor, _FORM)
    if form["order"] != _PREFIX[newest_first]:
        raise ApiError(
            "invalid_cursor",
            "The cursor is of a list in the other order: ask in that order (`order`, or `events list --oldest`).",
        )
    mark = None if form["mark"] is None else bytes.fromhex(form["mark"])
    given = Position(int(form["sequence"]), mark)
    if not _is_of_this_database(store, given.sequence, form["database"]):
        raise ApiError("invalid_cursor", f"The cursor is of another database. {_START}")
    position = store.events.confirmed(given)
    if position is None:
        cause = "lies beyond the last event, or another event has its place now: a backup was restored"
        raise ApiError("invalid_cursor", f"The cursor {cause}. {_START}")
    return position


def acknowledged_position(store: Store, consumer: str) -> Position:
    """Return the position that a consumer has acknowledged. Raises `ApiError` (400) if no event has had it yet."""
    position = store.events.confirmed(Position(store.consumers.cursor(consumer)))
    if position is None:
        raise ApiError("invalid_cursor", f"The consumer's cursor lies beyond the last event. {_ACK}")
    return position


def _is_of_this_database(store: Store, sequence: int, database: str | None) -> bool:
    """Return whether a cursor is ours. One without a database is from before cursors named theirs."""
    identity = store.identity()
    if database is None:
        return sequence == 0 or identity.has_bare_cursors
    return database == identity.id
