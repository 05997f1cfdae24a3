"""Deliveries, seen and replayed: what is stuck, why, and once more."""

import re
from typing import Any

from flask import request

from app.delivery.schemas import DeliverySchema, ReplaySchema, ReplayStepSchema
from app.domain.delivery import DELIVERY_ID, Delivery, DeliveryState, NewDelivery
from app.domain.event import EVENT_ID, Event
from app.domain.replay import Selection
from app.domain.subscription import deliveries_of
from app.gateway import gateway
from app.web.errors import ApiError, not_found
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.paging import PAGE_PARAMETERS, cursor_of, page, page_request, read_cursor
from app.web.query_parameters import accepts_query
from app.web.schemas import page_of

bp = JsonBlueprint("deliveries", __name__, description="Events on their way to destinations.")

STEP_EVENTS = 500
SEQUENCE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
DESTINATION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
STATES = [state.value for state in DeliveryState]
FILTERS = [
    {"in": "query", "name": "state", "schema": {"type": "string", "enum": STATES}},
    {"in": "query", "name": "destination", "schema": {"type": "string"}},
    {"in": "query", "name": "event", "schema": {"type": "string"}, "description": "An event's id."},
]


@bp.get("/deliveries")
@guarded_by(bearer("read"))
@accepts_query(bp, *FILTERS, *PAGE_PARAMETERS)
@bp.response(200, page_of(DeliverySchema))
def list_deliveries() -> dict[str, Any]:
    """List deliveries, newest first."""
    asked = page_request(DELIVERY_ID)
    state = _parameter("state", re.compile("|".join(STATES)), f"one of {', '.join(STATES)}")
    deliveries = gateway().store.deliveries.page(
        state=None if state is None else DeliveryState(state),
        destination=_parameter("destination", DESTINATION_NAME, "the name of a destination"),
        event=_parameter("event", EVENT_ID, "the id of an event"),
        before=asked.after,
        limit=asked.limit,
    )
    return page(deliveries, asked)


@bp.get("/deliveries/<delivery_id>")
@guarded_by(bearer("read"))
@bp.response(200, DeliverySchema)
def show_delivery(delivery_id: str) -> Delivery:
    """Show one delivery with its last attempts."""
    return _found(gateway().store.deliveries.get(delivery_id))


@bp.post("/deliveries/<delivery_id>/replay")
@guarded_by(bearer("operate"))
@bp.response(202, DeliverySchema)
def replay_delivery(delivery_id: str) -> Delivery:
    """Deliver once more, with the same event id. One that is on its way already stays there."""
    deliveries = gateway().store.deliveries
    destination = _found(deliveries.get(delivery_id)).destination
    if destination not in _destinations():
        raise ApiError("unknown_destination", f"No destination of the profile is named {destination!r} any more.")
    return _found(deliveries.replay(delivery_id))


@bp.post("/deliveries/replay")
@guarded_by(bearer("operate"))
@bp.arguments(ReplaySchema)
@bp.response(202, ReplayStepSchema)
def replay_deliveries(asked: tuple[Selection, str | None]) -> dict[str, Any]:
    """Put a step of a selection in line once more; go on with `nextCursor` until it is null."""
    selection, cursor = asked
    _refuse_unknown_destination(selection)
    store = gateway().store
    step = store.deliveries.replay_some(
        selection,
        after=0 if cursor is None else int(read_cursor(cursor, SEQUENCE)),
        limit=STEP_EVENTS,
        deliveries_of=_deliveries_of,
    )
    left = 0 if step.next is None else max(0, store.events.latest() - step.next)
    next_cursor = None if step.next is None else cursor_of(str(step.next))
    return {"replayed": step.replayed, "seen": step.seen, "left": left, "next_cursor": next_cursor}


def _deliveries_of(event: Event) -> tuple[NewDelivery, ...] | None:
    """As the splitter makes them, by the profile as it is now."""
    settings = gateway().settings
    return deliveries_of(event, ours=settings.whatsapp.ours, subscribers=settings.destinations)


def _refuse_unknown_destination(selection: Selection) -> None:
    """A misspelt name would otherwise look like nothing to replay."""
    if selection.destination is not None and selection.destination not in _destinations():
        mistake = {"pointer": "/destination", "message": "No destination of the profile has this name."}
        raise ApiError("invalid_fields", "Some fields are missing or wrong.", details={"fields": [mistake]})


def _destinations() -> list[str]:
    return [destination.name for destination in gateway().settings.destinations]


def _found(delivery: Delivery | None) -> Delivery:
    if delivery is None:
        raise not_found()
    return delivery


def _parameter(name: str, form: re.Pattern[str], wanted: str) -> str | None:
    """A query parameter of this form, if it is given; a 400 for anything else."""
    value = request.args.get(name)
    if value is not None and not form.fullmatch(value):
        raise ApiError("invalid_parameter", f"{name} must be {wanted}.")
    return value
