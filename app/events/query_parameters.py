"""Read the query parameters of events, and the names in them. An invalid one raises ApiError (400)."""

import re
from typing import Any

from flask import request

from app.domain.erasure import CONTACT
from app.domain.event import TYPE_GLOB
from app.domain.event_families import mistake_in
from app.domain.event_filter import EventFilter
from app.domain.receipt import RECEIPT_ID
from app.web.contact_name import contact_name
from app.web.errors import ApiError
from app.web.paging import PAGE_PARAMETERS
from app.web.query_parameters import range_parameters, read_matching, read_range

LATEST = "latest"
MAX_GLOBS = 50
MAX_WAIT_SECONDS = 25

CONSUMER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)

ORDERS = ("asc", "desc")

_ORDER = re.compile("|".join(ORDERS))
_NUMBER = re.compile(r"[!-~]{1,64}", re.ASCII)
_WAIT = re.compile(r"[0-9]{1,2}", re.ASCII)


def _text(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": {"type": "string", **schema}, "description": description}


PULL_PARAMETERS = (
    {
        **PAGE_PARAMETERS[0],
        "description": "The last page's nextCursor, or `latest` for new events only. Default: from the oldest event.",
    },
    PAGE_PARAMETERS[1],
    _text(
        "order",
        "`asc`: oldest first, to read everything once. `desc`: newest first; its last page has no nextCursor.",
        enum=[*ORDERS],
        default="asc",
    ),
    _text("types", "Only events of these types: types or globs, separated by commas."),
    _text("contact", "Only events of this customer: a phone number or a user id. Other names of it count too."),
    _text("phoneNumberId", "Only events of this number of the business."),
    _text("receipt", "Only events of the receipt with this id."),
    *range_parameters("Only events received"),
    {
        "in": "query",
        "name": "wait",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0},
        "description": "Seconds to wait for an event if there is none yet.",
    },
    _text(
        "consumer", "Continue after the cursor that this consumer acknowledged; not with `cursor` or `order=desc`."
    ),
)


def is_newest_first() -> bool:
    """Return whether the newest events come first. A reader that waits, or has a name, reads the oldest first."""
    if read_matching("order", _ORDER, "asc or desc") != "desc":
        return False
    if excluded := [name for name in ("wait", "consumer") if name in request.args]:
        raise ApiError("invalid_parameter", f"order=desc and {excluded[0]} exclude each other.")
    return True


def read_filter() -> EventFilter:
    """Return which events are asked for."""
    contact = request.args.get("contact")
    since, until = read_range()
    return EventFilter(
        types=_read_types(),
        contact=None if contact is None else contact_name(contact, CONTACT),
        phone_number_id=read_matching("phoneNumberId", _NUMBER, "the id of a number"),
        receipt_id=read_matching("receipt", RECEIPT_ID, "the id of a receipt"),
        since=since,
        until=until,
    )


def read_wait() -> int:
    """Return the seconds of `wait`."""
    value = request.args.get("wait", "0")
    if not _WAIT.fullmatch(value) or int(value) > MAX_WAIT_SECONDS:
        raise ApiError("invalid_parameter", f"wait must be a number of seconds from 0 to {MAX_WAIT_SECONDS}.")
    return int(value)


def read_consumer_name(name: str) -> str:
    """Return a consumer's name."""
    if not CONSUMER_NAME.fullmatch(name):
        raise ApiError("invalid_parameter", "A consumer's name has 1 to 100 letters, digits, '.', '_' and '-'.")
    return name


def _read_types() -> tuple[str, ...]:
    value = request.args.get("types")
    globs = () if value is None else tuple(value.split(","))
    if len(globs) > MAX_GLOBS or not all(map(TYPE_GLOB.fullmatch, globs)):
        raise ApiError("invalid_parameter", f"types must be up to {MAX_GLOBS} types or globs, separated by commas.")
    if mistakes := [mistake for glob in globs if (mistake := mistake_in(glob))]:
        raise ApiError("invalid_parameter", f"types: {mistakes[0]}")
    return globs
