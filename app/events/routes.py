"""The HTTP routes of events: pull them in order, with a long poll for the next one; list the newest; show one."""

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, request

from app.domain.event import Event, Position
from app.domain.event_filter import EventFilter
from app.domain.event_json import event_json
from app.events.cursors import acknowledged_position, event_cursor, read_event_cursor
from app.events.pull import PullRequest, pull
from app.events.query_parameters import (
    LATEST,
    PULL_PARAMETERS,
    is_newest_first,
    read_consumer_name,
    read_filter,
    read_wait,
)
from app.events.schemas import EventPageSchema, EventSchema
from app.web.current import gateway
from app.web.errors import ApiError, no_such
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.long_polls import long_polls
from app.web.paging import read_limit
from app.web.query_parameters import accepts_query

bp = JsonBlueprint("events", __name__, description="What happened, one event for each thing.")


@bp.get("/events")
@guarded_by(bearer("read"))
@accepts_query(bp, *PULL_PARAMETERS)
@bp.response(200, EventPageSchema)
def pull_events() -> Response:
    """List events: oldest first, waiting for one if there is none yet; or newest first."""
    limit = read_limit(request.args.get("limit"))
    if is_newest_first():
        return jsonify(_newest(read_filter(), limit))
    start = _start()
    pulled = PullRequest(after=start.sequence, chosen=read_filter(), limit=limit, wait=read_wait())
    return jsonify(_page(pull(gateway().store, pulled, long_polls()), start))


@bp.get("/events/<event_id>")
@guarded_by(bearer("read"))
@bp.response(200, EventSchema)
def show_event(event_id: str) -> Response:
    """Show one event."""
    event = gateway().store.events.get(event_id)
    if event is None:
        raise no_such("event", event_id)
    return jsonify(event_json(event))


def _page(events: Sequence[Event], start: Position) -> dict[str, Any]:
    last = events[-1].position if events else start
    return {"items": [event_json(event) for event in events], "nextCursor": event_cursor(gateway().store, last)}


def _newest(chosen: EventFilter, limit: int) -> dict[str, Any]:
    """Return a page of the newest events, or of those before the cursor; no cursor after the last one."""
    store, cursor = gateway().store, request.args.get("cursor")
    before = None if cursor is None else read_event_cursor(store, cursor, newest_first=True).sequence
    events = store.events.before(before, chosen, limit=limit)
    has_more = bool(events and store.events.before(events[-1].sequence, chosen, limit=1))
    return {
        "items": [event_json(event) for event in events],
        "nextCursor": event_cursor(store, events[-1].position, newest_first=True) if has_more else None,
    }


def _start() -> Position:
    """Return the position after which the page begins."""
    store = gateway().store
    cursor, consumer = request.args.get("cursor"), request.args.get("consumer")
    if cursor is not None and consumer is not None:
        raise ApiError("invalid_parameter", "cursor and consumer exclude each other.")
    if consumer is not None:
        return acknowledged_position(store, read_consumer_name(consumer))
    if cursor is None:
        return Position(0)
    return store.events.latest_position() if cursor == LATEST else read_event_cursor(store, cursor)
