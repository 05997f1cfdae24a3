"""Destinations, seen and handled: whether each is pushed to, what waits and why, pause, resume, a test."""

from collections.abc import Sequence
from typing import Any

from flask_smorest import Blueprint

from app.config import Destination, without_query
from app.delivery.schemas import TrialSchema
from app.delivery.test_event import send_test_event
from app.domain.destination import DestinationStatus, destination_statuses, queue_of_destination
from app.gateway import gateway
from app.web.errors import not_found
from app.web.guards import bearer, guarded_by
from app.web.schemas import DestinationSchema, page_of

bp = Blueprint("destinations", __name__, description="Where events are pushed.")


@bp.get("/destinations")
@guarded_by(bearer("read"))
@bp.response(200, page_of(DestinationSchema))
def list_destinations() -> dict[str, Any]:
    """List the profile's destinations, all on one page."""
    return {"items": _told(gateway().settings.destinations), "nextCursor": None}


@bp.get("/destinations/<name>")
@guarded_by(bearer("read"))
@bp.response(200, DestinationSchema)
def show_destination(name: str) -> dict[str, Any]:
    """Show one destination."""
    return _told_one(_configured(name))


@bp.post("/destinations/<name>/pause")
@guarded_by(bearer("operate"))
@bp.response(200, DestinationSchema)
def pause_destination(name: str) -> dict[str, Any]:
    """Push nothing more to a destination until it is resumed. What is in flight ends as it would."""
    destination, queues = _configured(name), gateway().store.queues
    queues.ensure([queue_of_destination(name)])
    queues.pause(queue_of_destination(name), on=True)
    return _told_one(destination)


@bp.post("/destinations/<name>/resume")
@guarded_by(bearer("operate"))
@bp.response(200, DestinationSchema)
def resume_destination(name: str) -> dict[str, Any]:
    """Push again, whatever held it up: a pause, a 410, its breaker. What waits for a retry is due now."""
    destination = _configured(name)
    gateway().store.queues.resume(queue_of_destination(name))
    return _told_one(destination)


@bp.post("/destinations/<name>/test")
@guarded_by(bearer("operate"))
@bp.response(200, TrialSchema)
def try_destination(name: str) -> dict[str, Any]:
    """Send one signed test event (`wats.test`) now, also while it is paused or disabled, and tell what came back."""
    return send_test_event(_configured(name), gateway())


def _configured(name: str) -> Destination:
    for destination in gateway().settings.destinations:
        if destination.name == name:
            return destination
    raise not_found()


def _told_one(destination: Destination) -> dict[str, Any]:
    return _told([destination])[0]


def _told(destinations: Sequence[Destination]) -> list[dict[str, Any]]:
    statuses = destination_statuses(
        [destination.name for destination in destinations],
        gateway().store.queues.all(),
        gateway().store.deliveries.counts(),
    )
    return [_shape(*both) for both in zip(destinations, statuses, strict=True)]


def _shape(destination: Destination, status: DestinationStatus) -> dict[str, Any]:
    return {**vars(status), "url": without_query(destination.url), "format": destination.format}
