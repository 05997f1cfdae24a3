"""The cursors of events: opaque on the wire, a sequence inside."""

import re

from app.web.paging import cursor_of, read_cursor

SEQUENCE = re.compile(r"seq_(0|[1-9][0-9]{0,17})", re.ASCII)


def event_cursor(sequence: int) -> str:
    """The cursor behind this sequence."""
    return cursor_of(f"seq_{sequence}")


def read_event_cursor(cursor: str) -> int:
    """The sequence that a cursor stands behind; a 400 if it is not one of ours."""
    return int(read_cursor(cursor, SEQUENCE).removeprefix("seq_"))
