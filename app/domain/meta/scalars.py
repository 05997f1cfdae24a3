"""Takes what Meta sends for a name, a word or a time; None where it is nothing of the kind."""

import re
from datetime import UTC, datetime
from typing import Any

ID_LENGTH, USER_ID_LENGTH, WORD_LENGTH = 64, 200, 64
"""As long as the columns that hold them."""

EARLIEST, LATEST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""WhatsApp began in 2009; a time outside is milliseconds, a zero, or nonsense."""

_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_NO_WORD = re.compile(r"[^a-z0-9_]", re.ASCII)
_SECONDS = re.compile(r"[0-9]{9,10}", re.ASCII)


def visible(value: Any, longest: int = ID_LENGTH) -> str | None:
    """An id: visible ASCII, not too long. Meta sends some of them as numbers."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or len(value) > longest:
        return None
    return value if _VISIBLE.fullmatch(value) else None


def phone(value: Any) -> str | None:
    """A phone number or group id as Meta names a customer, without a leading plus sign."""
    return visible(value.removeprefix("+")) if isinstance(value, str) else visible(value)


def user_id(value: Any) -> str | None:
    """A business-scoped user id."""
    return visible(value, USER_ID_LENGTH)


def written(value: Any) -> str | None:
    """An id of any form, as text."""
    return str(value) if type(value) is int else text(value)


def text(value: Any) -> str | None:
    """Any text but an empty one."""
    return value if isinstance(value, str) and value else None


def word(value: Any) -> str | None:
    """A part of an event's type: lowercase letters, digits and `_`."""
    return _NO_WORD.sub("_", value[:WORD_LENGTH].lower()) if isinstance(value, str) and value else None


def moment(value: Any) -> datetime | None:
    """A time in seconds, as a number or its digits."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = int(value)
    if type(value) is not int or not EARLIEST.timestamp() <= value < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(value, UTC)


def own_moment(item: Any) -> datetime | None:
    """When an item says that it happened."""
    if not isinstance(item, dict):
        return None
    within = item.get("metadata")  # where an item of an app's state keeps it
    return moment(item.get("timestamp")) or (moment(within.get("timestamp")) if isinstance(within, dict) else None)
