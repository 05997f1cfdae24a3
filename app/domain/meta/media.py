"""Media in Meta's JSON: in the item of an event, and in what the Graph API answers about a file.

Source: Meta, "Media": an id of received media lives 7 days, a URL 5 minutes. The digest is base64 in webhooks and
hexadecimal in answers.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.domain.meta.body import MAX_DEPTH
from app.domain.meta.media_types import is_mime_type
from app.domain.meta.scalars import visible

MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""Digits today. Other characters that a path or a file name can have do not belong into an id."""

ID_LIFE, URL_LIFE = timedelta(days=7), timedelta(minutes=4)
"""How long Meta knows received media, and how long a URL is used: a minute less than it lives."""

UNKNOWN_TYPE = "application/octet-stream"
MAX_URL_LENGTH = 2000
MAX_NAME_LENGTH = 200
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)


@dataclass(frozen=True)
class Media:
    """A file at Meta, as far as Meta describes it: `sha256` in hexadecimal digits, `size` in bytes."""

    id: str
    mime_type: str = UNKNOWN_TYPE
    sha256: str | None = None
    size: int | None = None
    url: str | None = None
    filename: str | None = None


def media_of(document: Any) -> Media | None:
    """Return the file that an object of a webhook or an answer describes; None if it describes none."""
    media_id = visible(document.get("id")) if isinstance(document, dict) else None
    if media_id is None or not MEDIA_ID.fullmatch(media_id):
        return None
    mime_type, name = document.get("mime_type"), document.get("filename")
    return Media(
        media_id,
        mime_type if isinstance(mime_type, str) and is_mime_type(mime_type) else UNKNOWN_TYPE,
        _digest(document.get("sha256")),
        _size(document.get("file_size")),
        visible(document.get("url"), MAX_URL_LENGTH),
        _printable(name) if isinstance(name, str) else None,
    )


def media_in(raw: Any) -> Iterator[Media]:
    """Yield the files that an event's item is about: its objects that have a media type and an id."""
    return (media for found in _objects(raw) if (media := media_of(found)) is not None)


def with_media_urls(raw: Any, url_of: Callable[[str], str | None]) -> Any:
    """Return an item with the URL that `url_of` gives each file's id in the place of Meta's; None: without a URL."""
    if next(_objects(raw), None) is None:
        return raw
    return _replaced(raw, url_of)


def _replaced(value: Any, url_of: Callable[[str], str | None]) -> Any:
    if isinstance(value, list):
        return [_replaced(member, url_of) for member in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _replaced(member, url_of) for key, member in value.items()}
    if _is_media(value) and "url" in kept:
        media = media_of(value)
        url = None if media is None else url_of(media.id)
        return {**kept, "url": url} if url else {key: member for key, member in kept.items() if key != "url"}
    return kept


def _objects(raw: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that describe a file, level by level."""
    level = [raw]
    for _ in range(MAX_DEPTH):
        yield from (value for value in level if isinstance(value, dict) and _is_media(value))
        level = [child for value in level for child in _children(value) if isinstance(child, dict | list)]
        if not level:
            return


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _is_media(value: dict[str, Any]) -> bool:
    return "mime_type" in value and "id" in value


def _digest(value: Any) -> str | None:
    """Return a SHA-256 in lowercase hexadecimal digits, from either form."""
    if not isinstance(value, str):
        return None
    if _HEX.fullmatch(value):
        return value.lower()
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None


def _size(value: Any) -> int | None:
    """Return a number of bytes: Meta sends it as a number, and sometimes as a string."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value if type(value) is int and 0 <= value < 10**15 else None


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "_" for char in name[:MAX_NAME_LENGTH])
