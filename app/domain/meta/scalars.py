"""Read single values that Meta sends: ids, words, texts and times. Each function returns None for anything else."""

import re
from datetime import UTC, datetime
from typing import Any

MAX_ID_LENGTH, MAX_USER_ID_LENGTH, MAX_WORD_LENGTH = 64, 200, 64
"""The lengths of the columns that hold them."""

EARLIEST, LATEST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""WhatsApp began in 2009. A time outside of this range is in milliseconds, zero or nonsense."""

_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_NOT_IN_WORD = re.compile(r"[^a-z0-9_]", re.ASCII)
_SECONDS = re.compile(r"[0-9]{9,10}", re.ASCII)


def visible(value: Any, max_length: int = MAX_ID_LENGTH) -> str | None:
    """Return an id of visible ASCII characters. Meta sends some ids as numbers."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or len(value) > max_length:
        return None
    return value if _VISIBLE.fullmatch(value) else None


def phone(value: Any) -> str | None:
    """Return a phone number or group id as Meta writes it for a customer, without a leading plus sign."""
    return visible(value.removeprefix("+")) if isinstance(value, str) else visible(value)


def user_id(value: Any) -> str | None:
    """Return a business-scoped user id."""
    return visible(value, MAX_USER_ID_LENGTH)


def id_text(value: Any) -> str | None:
    """Return an id of any form and length, as text."""
    return str(value) if type(value) is int else text(value)


def text(value: Any) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def word(value: Any) -> str | None:
    """Return a text as one segment of an event's type: lowercase letters, digits and `_`."""
    return _NOT_IN_WORD.sub("_", value[:MAX_WORD_LENGTH].lower()) if isinstance(value, str) and value else None


def timestamp(value: Any) -> datetime | None:
    """Return a time given in seconds, as a number or as digits."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = int(value)
    if type(value) is not int or not EARLIEST.timestamp() <= value < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(value, UTC)


def item_timestamp(raw: Any) -> datetime | None:
    """Return the time that an item itself gives."""
    if not isinstance(raw, dict):
        return None
    metadata = raw.get("metadata")  # holds the time of an item of the WhatsApp Business app's state
    return timestamp(raw.get("timestamp")) or (
        timestamp(metadata.get("timestamp")) if isinstance(metadata, dict) else None
    )
