"""Events, readable: page by page from the oldest on, waiting for the next if need be."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, jsonify, request

from app.domain.event import TYPE_GLOB, Event
from app.domain.event_json import event_json
from app.events.consumers import read_name
from app.events.cursors import event_cursor, read_event_cursor
from app.events.pull import MAX_WAIT, Pull, Waiting, pull
from app.events.schemas import EventPageSchema, EventSchema
from app.gateway import gateway
from app.web.errors import ApiError, not_found
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.paging import PAGE_PARAMETERS, read_limit
from app.web.query_parameters import accepts_query

bp = JsonBlueprint("events", __name__, description="What happened, one event for each thing.")

LATEST = "latest"
MAX_GLOBS = 50
EXTENSION = "wats.waiting"

_WAIT = re.compile(r"[0-9]{1,2}", re.ASCII)

PULL_PARAMETERS = (
    {
        **PAGE_PARAMETERS[0],
        "description": "The last page's nextCursor; `latest`: what comes from now on. Without it: from the oldest.",
    },
    PAGE_PARAMETERS[1],
    {
        "in": "query",
        "name": "types",
        "schema": {"type": "string"},
        "description": "Only these types: a list of types or globs, with commas in between.",
    },
    {
        "in": "query",
        "name": "wait",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT, "default": 0},
        "description": "Seconds to wait for an event if there is none yet.",
    },
    {
        "in": "query",
        "name": "consumer",
        "schema": {"type": "string"},
        "description": "Go on where this consumer has acknowledged to; not together with `cursor`.",
    },
)


@bp.get("/events")
@guarded_by(bearer("read"))
@accepts_query(bp, *PULL_PARAMETERS)
@bp.response(200, EventPageSchema)
def pull_events() -> Response:
    """List events, oldest first; wait for one if there is none yet."""
    store = gateway().store
    asked = Pull(after=_start(), types=_types(), limit=read_limit(request.args.get("limit")), wait=_wait())
    found = pull(store, asked, current_app.extensions.setdefault(EXTENSION, Waiting()))
    return jsonify(_page(found, asked))


@bp.get("/events/<event_id>")
@guarded_by(bearer("read"))
@bp.response(200, EventSchema)
def show_event(event_id: str) -> Response:
    """Show one event."""
    event = gateway().store.events.get(event_id)
    if event is None:
        raise not_found()
    return jsonify(event_json(event))


def _page(found: Sequence[Event], asked: Pull) -> dict[str, Any]:
    last = found[-1].sequence if found else asked.after
    return {"items": [event_json(event) for event in found], "nextCursor": event_cursor(last)}


def _start() -> int:
    """The sequence after which to go on."""
    cursor, consumer = request.args.get("cursor"), request.args.get("consumer")
    if cursor is not None and consumer is not None:
        raise ApiError("invalid_parameter", "cursor and consumer exclude each other.")
    if consumer is not None:
        return gateway().store.consumers.cursor(read_name(consumer))
    if cursor is None:
        return 0
    return gateway().store.events.latest() if cursor == LATEST else read_event_cursor(cursor)


def _types() -> tuple[str, ...]:
    given = request.args.get("types")
    globs = () if given is None else tuple(given.split(","))
    if len(globs) > MAX_GLOBS or not all(map(TYPE_GLOB.fullmatch, globs)):
        raise ApiError("invalid_parameter", f"types must be up to {MAX_GLOBS} types or globs, with commas between.")
    return globs


def _wait() -> int:
    given = request.args.get("wait", "0")
    if not _WAIT.fullmatch(given) or int(given) > MAX_WAIT:
        raise ApiError("invalid_parameter", f"wait must be a number of seconds from 0 to {MAX_WAIT}.")
    return int(given)
