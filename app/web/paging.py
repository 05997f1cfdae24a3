"""Lists in pages: `{"items": […], "nextCursor": …}`, with the query parameters `cursor` (opaque) and `limit`."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from flask import request

from app.web.errors import ApiError

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

_LIMIT = re.compile(r"[1-9][0-9]{0,2}")

PAGE_PARAMETERS = (
    {
        "in": "query",
        "name": "cursor",
        "schema": {"type": "string"},
        "description": "The last page's nextCursor.",
    },
    {
        "in": "query",
        "name": "limit",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
)


class Identified(Protocol):
    """An item of a list; the next page begins after its id."""

    @property
    def id(self) -> str: ...


class PageRequest(NamedTuple):
    """The requested page: at most `limit` items, those after the id `after`."""

    after: str | None
    limit: int


def page_request(ids: re.Pattern[str]) -> PageRequest:
    """Return the page that the current request asks for. `ids`: the form of an id. Raises `ApiError` (400)."""
    cursor = request.args.get("cursor")
    return PageRequest(None if cursor is None else read_cursor(cursor, ids), read_limit(request.args.get("limit")))


def page(items: Sequence[Identified], requested: PageRequest) -> dict[str, Any]:
    """Return a page as it is sent. A full page has a next one, which may turn out to be empty."""
    full = len(items) == requested.limit
    return {"items": items, "nextCursor": cursor_of(items[-1].id) if full else None}


def cursor_of(last_id: str) -> str:
    """Return the cursor of the page after this id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def read_cursor(cursor: str, ids: re.Pattern[str]) -> str:
    """Return the id in a cursor. `ids`: the form of an id. Raises `ApiError` (400) for a cursor that is not ours."""
    return decoded_cursor(cursor, ids).string


def decoded_cursor(cursor: str, form: re.Pattern[str]) -> re.Match[str]:
    """Return the decoded cursor as a match of its form. Raises `ApiError` (400) for a cursor that is not ours."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _invalid_cursor() from error
    matched = form.fullmatch(content)
    if matched is None:
        raise _invalid_cursor()
    return matched


def _invalid_cursor() -> ApiError:
    return ApiError("invalid_cursor", "The cursor is not one of ours.")


def read_limit(limit: str | None) -> int:
    """Return the size of the page. Raises `ApiError` (400) for anything but a number from 1 to 100."""
    if limit is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(limit) or int(limit) > MAX_LIMIT:
        raise ApiError("invalid_limit", f"limit must be a number from 1 to {MAX_LIMIT}.")
    return int(limit)
