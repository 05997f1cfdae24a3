"""Read the query parameters of events, and the names in them. An invalid one raises ApiError (400)."""

import re

from flask import request

from app.domain.event import TYPE_GLOB
from app.web.errors import ApiError
from app.web.paging import PAGE_PARAMETERS

LATEST = "latest"
MAX_GLOBS = 50
MAX_WAIT_SECONDS = 25

CONSUMER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)

_WAIT = re.compile(r"[0-9]{1,2}", re.ASCII)

PULL_PARAMETERS = (
    {
        **PAGE_PARAMETERS[0],
        "description": "The last page's nextCursor, or `latest` for new events only. Default: from the oldest event.",
    },
    PAGE_PARAMETERS[1],
    {
        "in": "query",
        "name": "types",
        "schema": {"type": "string"},
        "description": "Only events of these types: types or globs, separated by commas.",
    },
    {
        "in": "query",
        "name": "wait",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0},
        "description": "Seconds to wait for an event if there is none yet.",
    },
    {
        "in": "query",
        "name": "consumer",
        "schema": {"type": "string"},
        "description": "Continue after the cursor that this consumer acknowledged; not together with `cursor`.",
    },
)


def read_types() -> tuple[str, ...]:
    """Return the types and globs of `types`; empty for every type."""
    value = request.args.get("types")
    globs = () if value is None else tuple(value.split(","))
    if len(globs) > MAX_GLOBS or not all(map(TYPE_GLOB.fullmatch, globs)):
        raise ApiError("invalid_parameter", f"types must be up to {MAX_GLOBS} types or globs, separated by commas.")
    return globs


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
