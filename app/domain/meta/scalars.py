"""Read single values that Meta sends: ids, words, texts and times. Each function returns None for anything else."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

MAX_ID_LENGTH, MAX_USER_ID_LENGTH, MAX_WORD_LENGTH = 64, 200, 64
"""The lengths of the columns that hold them."""

EARLIEST, LATEST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""WhatsApp began in 2009. A time outside of this range is zero or nonsense."""

_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_NOT_IN_WORD = re.compile(r"[^a-z0-9_]", re.ASCII)
_DIGITS_OF_TIME = re.compile(r"[0-9]{9,13}", re.ASCII)
_FIRST_MILLISECONDS = 10**11
"""A time from this number on is in milliseconds: in seconds it would be after the year 5000."""

_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)


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


def is_user_id(value: Any) -> bool:
    """Return whether a value has the form of a user id or a parent user id."""
    return isinstance(value, str) and _USER_ID.fullmatch(value) is not None


def customer_ids(wa_id: Any, user_id_: Any) -> tuple[str | None, str | None, str | None]:
    """Return a customer's phone, user id and parent user id. A user id may be in the phone's place.

    Source: Meta, "Business-scoped user IDs": two letters, a dot, and up to 128 letters and digits; `CC.ENT.` begins a
    parent user id.
    """
    match = _USER_ID.fullmatch(wa_id) if isinstance(wa_id, str) else None
    if match is None:
        return phone(wa_id), user_id(user_id_), None
    return (None, user_id(user_id_), wa_id) if match[1] else (None, user_id(user_id_) or wa_id, None)


def id_text(value: Any) -> str | None:
    """Return an id of any form and length, as text."""
    return str(value) if type(value) is int else text(value)


def text(value: Any) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def word(value: Any) -> str | None:
    """Return a text as one segment of an event's type: lowercase letters, digits and `_`.

    It is cut when it is made: a letter may become two when it is made lowercase.
    """
    if not isinstance(value, str) or not value:
        return None
    return _NOT_IN_WORD.sub("_", value[:MAX_WORD_LENGTH].lower())[:MAX_WORD_LENGTH]


def timestamp(value: Any) -> datetime | None:
    """Return a time given in seconds or milliseconds, as a number or as digits."""
    if isinstance(value, str) and _DIGITS_OF_TIME.fullmatch(value):
        value = int(value)
    if type(value) is not int:
        return None
    seconds, milliseconds = divmod(value, 1000) if value >= _FIRST_MILLISECONDS else (value, 0)
    if not EARLIEST.timestamp() <= seconds < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)


def item_timestamp(raw: Any) -> datetime | None:
    """Return the time that an item itself gives."""
    if not isinstance(raw, dict):
        return None
    metadata = raw.get("metadata")  # holds the time of an item of the WhatsApp Business app's state
    return timestamp(raw.get("timestamp")) or (
        timestamp(metadata.get("timestamp")) if isinstance(metadata, dict) else None
    )
