"""The API of deliveries: list, show and replay them."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from flask import Response

from app.delivery.deliver import body_in
from app.delivery.schemas import (
    DeliverySchema,
    DiscardSchema,
    DiscardStepSchema,
    ReplaySchema,
    ReplayStepSchema,
)
from app.domain.delivery import DELIVERY_ID, Delivery, DeliveryState, NewDelivery
from app.domain.event import EVENT_ID, Event
from app.domain.replay import Selection
from app.domain.subscription import deliveries_of
from app.web.current import gateway
from app.web.errors import ApiError, no_such
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.openapi_operations import refuses
from app.web.paging import PAGE_PARAMETERS, page, page_request
from app.web.query_parameters import accepts_query, range_parameters, read_matching, read_range
from app.web.schemas import page_of
from app.web.steps import StepRequest, step_cursor

bp = JsonBlueprint("deliveries", __name__, description="Events on their way to destinations.")

STEP_EVENTS = 500
DESTINATION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
STATES = [state.value for state in DeliveryState]
FORMATS = ("events", "meta")
FORMAT = {"in": "query", "name": "format", "schema": {"type": "string", "enum": list(FORMATS), "default": FORMATS[0]}}
FILTERS = [
    {"in": "query", "name": "state", "schema": {"type": "string", "enum": STATES}},
    {"in": "query", "name": "destination", "schema": {"type": "string"}},
    {"in": "query", "name": "event", "schema": {"type": "string"}, "description": "An event's id."},
    *range_parameters("Only of events received"),
]


@bp.get("/deliveries")
@guarded_by(bearer("read"))
@accepts_query(bp, *FILTERS, *PAGE_PARAMETERS)
@bp.response(200, page_of(DeliverySchema))
def list_deliveries() -> dict[str, Any]:
    """List deliveries, newest first."""
    requested = page_request(DELIVERY_ID)
    state = read_matching("state", re.compile("|".join(STATES)), f"one of {', '.join(STATES)}")
    since, until = read_range()
    destination = read_matching("destination", DESTINATION_NAME, "the name of a destination")
    if destination is not None and (mistake := _mistake_in(destination)):
        raise ApiError("invalid_parameter", f"destination: {mistake}")
    deliveries = gateway().store.deliveries.page(
        state=None if state is None else DeliveryState(state),
        destination=destination,
        event=read_matching("event", EVENT_ID, "the id of an event"),
        since=since,
        until=until,
        before=requested.after,
        limit=requested.limit,
    )
    return page(deliveries, requested)


@bp.get("/deliveries/<delivery_id>")
@guarded_by(bearer("read"))
@bp.response(200, DeliverySchema)
def show_delivery(delivery_id: str) -> Delivery:
    """Show one delivery with its last attempts."""
    return _existing(gateway().store.deliveries.get(delivery_id), delivery_id)


@bp.get("/events/<event_id>/body")
@guarded_by(bearer("read"))
@accepts_query(bp, FORMAT)
@bp.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def send_event_body(event_id: str) -> Response:
    """Send an event as a destination of a format gets it, byte for byte."""
    event = gateway().store.events.get(event_id)
    if event is None:
        raise no_such("event", event_id)
    format_ = read_matching("format", re.compile("|".join(FORMATS)), f"one of {', '.join(FORMATS)}") or FORMATS[0]
    media_url = gateway().settings.service.media_url
    return Response(body_in(format_, event, media_url), mimetype="application/octet-stream")


@bp.post("/deliveries/<delivery_id>/replay")
@guarded_by(bearer("operate"))
@refuses("unknown_destination")
@bp.response(202, DeliverySchema)
def replay_delivery(delivery_id: str) -> Delivery:
    """Deliver again, with the same event id. A delivery that waits or is in flight already stays as it is."""
    deliveries = gateway().store.deliveries
    destination = _existing(deliveries.get(delivery_id), delivery_id).destination
    if destination not in _destinations():
        raise ApiError("unknown_destination", f"No destination of the profile is named {destination!r} any more.")
    return _existing(deliveries.replay(delivery_id), delivery_id)


@bp.post("/deliveries/replay")
@guarded_by(bearer("operate"))
@refuses("invalid_cursor")
@bp.arguments(ReplaySchema)
@bp.response(202, ReplayStepSchema)
def replay_deliveries(body: StepRequest[Selection]) -> dict[str, Any]:
    """Replay one step of a selection, or count what it would replay. Continue with `nextCursor` until it is null."""
    _refuse_wrong_destination(body.chosen.destination, _not_configured)
    deliveries = gateway().store.deliveries
    act = deliveries.count_to_replay if body.is_trial else deliveries.replay_some
    step = act(body.chosen, after=body.after, limit=STEP_EVENTS, deliveries_of=_deliveries_of)
    return {"replayed": step.replayed, "seen": step.seen, **_rest_after(step.next)}


@bp.post("/deliveries/<delivery_id>/discard")
@guarded_by(bearer("operate"))
@refuses("not_dead")
@bp.response(200, DeliverySchema)
def discard_delivery(delivery_id: str) -> Delivery:
    """Dismiss a dead letter: it raises no alert any more, and stays listed as `discarded` until it is pruned."""
    delivery = _existing(gateway().store.deliveries.discard(delivery_id), delivery_id)
    if delivery.state is not DeliveryState.DISCARDED:
        raise ApiError("not_dead", f"The delivery is {delivery.state.value}, not dead: there is nothing to discard.")
    return delivery


@bp.post("/deliveries/discard")
@guarded_by(bearer("operate"))
@refuses("invalid_cursor")
@bp.arguments(DiscardSchema)
@bp.response(200, DiscardStepSchema)
def discard_deliveries(body: StepRequest[Selection]) -> dict[str, Any]:
    """Dismiss one step of the dead letters of a selection, or count them. Continue until `nextCursor` is null."""
    _refuse_wrong_destination(body.chosen.destination, _mistake_in)
    step = gateway().store.deliveries.discard_some(
        body.chosen, after=body.after, limit=STEP_EVENTS, is_trial=body.is_trial
    )
    return {"discarded": step.count, **_rest_after(step.next)}


def _rest_after(sequence: int | None) -> dict[str, Any]:
    """Return how many events are left at most, and the cursor of the next step. None: this one was the last."""
    left = 0 if sequence is None else max(0, gateway().store.events.latest() - sequence)
    return {"left": left, "next_cursor": step_cursor(sequence)}


def _deliveries_of(event: Event) -> tuple[NewDelivery, ...] | None:
    """Return the deliveries that the splitter would add for an event with the present config."""
    settings = gateway().settings
    return deliveries_of(event, ours=settings.whatsapp.ours, subscribers=settings.destinations)


def _refuse_wrong_destination(name: str | None, mistake_in: Callable[[str], str | None]) -> None:
    """Refuse a misspelt name in a body: otherwise it would look as if there were nothing to do."""
    if name is not None and (mistake := mistake_in(name)):
        problem = {"pointer": "/destination", "message": mistake}
        raise ApiError("invalid_fields", "Some fields are missing or wrong.", details={"fields": [problem]})


def _mistake_in(name: str) -> str | None:
    """Return what is wrong with the name of a destination that has no delivery and can get none."""
    mistake = _not_configured(name)
    return mistake if mistake and not gateway().store.deliveries.has_any(name) else None


def _not_configured(name: str) -> str | None:
    """Return that the profile has no such destination, with the nearest name, or None if it has."""
    names = _destinations()
    if name in names:
        return None
    near = get_close_matches(name, names, 1)
    return "No destination of the profile has this name" + (f"; did you mean {near[0]}?" if near else ".")


def _destinations() -> list[str]:
    return [destination.name for destination in gateway().settings.destinations]


def _existing(delivery: Delivery | None, delivery_id: str) -> Delivery:
    if delivery is None:
        raise no_such("delivery", delivery_id)
    return delivery
