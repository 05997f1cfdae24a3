"""Lists: `{"items": […], "nextCursor": …}`, asked for with `cursor` and `limit`. The cursor is opaque."""

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
    """Anything that a list can be continued after."""

    @property
    def id(self) -> str: ...


class PageRequest(NamedTuple):
    """Which page is asked for: the items after `after` (an id), at most `limit` of them."""

    after: str | None
    limit: int


def page_request(ids: re.Pattern[str]) -> PageRequest:
    """The page that the current request asks for, of items with such ids; a bad cursor or limit is a 400."""
    cursor = request.args.get("cursor")
    return PageRequest(None if cursor is None else read_cursor(cursor, ids), read_limit(request.args.get("limit")))


def page(items: Sequence[Identified], asked: PageRequest) -> dict[str, Any]:
    """A page of items as answered. A full page has a next one, which may turn out empty."""
    full = len(items) == asked.limit
    return {"items": items, "nextCursor": cursor_of(items[-1].id) if full else None}


def cursor_of(last_id: str) -> str:
    """The cursor that continues after this id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def read_cursor(cursor: str, ids: re.Pattern[str]) -> str:
    """The id that a cursor continues after; a 400 if it is not one of ours."""
    try:
        last_id = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _invalid_cursor() from error
    if not ids.fullmatch(last_id):
        raise _invalid_cursor()
    return last_id


def _invalid_cursor() -> ApiError:
    return ApiError("invalid_cursor", "The cursor is not one of ours.")


def read_limit(limit: str | None) -> int:
    """How many items are asked for; a 400 if that is no number from 1 to 100."""
    if limit is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(limit) or int(limit) > MAX_LIMIT:
        raise ApiError("invalid_limit", f"limit must be a number from 1 to {MAX_LIMIT}.")
    return int(limit)
