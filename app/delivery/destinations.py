"""The API of destinations: their state, pause, resume, and a test event."""

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_smorest import Blueprint

from app.config import Destination, without_query
from app.delivery.schemas import TestEventResultSchema
from app.delivery.test_event import send_test_event
from app.domain.destination import destination_statuses, queue_of_destination
from app.web.current import gateway
from app.web.errors import no_such
from app.web.guards import bearer, guarded_by
from app.web.middleware import TRACE
from app.web.schemas import DestinationSchema, page_of

bp = Blueprint("destinations", __name__, description="Where events are pushed.")


@bp.get("/destinations")
@guarded_by(bearer("read"))
@bp.response(200, page_of(DestinationSchema))
def list_destinations() -> dict[str, Any]:
    """List the profile's destinations, all on one page."""
    return {"items": _documents(gateway().settings.destinations), "nextCursor": None}


@bp.get("/destinations/<name>")
@guarded_by(bearer("read"))
@bp.response(200, DestinationSchema)
def show_destination(name: str) -> dict[str, Any]:
    """Show one destination."""
    return _document(_configured(name))


@bp.post("/destinations/<name>/pause")
@guarded_by(bearer("operate"))
@bp.response(200, DestinationSchema)
def pause_destination(name: str) -> dict[str, Any]:
    """Push nothing more to a destination until it is resumed. Deliveries in flight finish."""
    destination, queues = _configured(name), gateway().store.queues
    queues.ensure([queue_of_destination(name)])
    queues.pause(queue_of_destination(name), on=True)
    return _document(destination)


@bp.post("/destinations/<name>/resume")
@guarded_by(bearer("operate"))
@bp.response(200, DestinationSchema)
def resume_destination(name: str) -> dict[str, Any]:
    """Push again to a destination that is paused, failing or disabled. Waiting retries are due at once."""
    destination = _configured(name)
    gateway().store.queues.resume(queue_of_destination(name))
    return _document(destination)


@bp.post("/destinations/<name>/test")
@guarded_by(bearer("operate"))
@bp.response(200, TestEventResultSchema)
def test_destination(name: str) -> dict[str, Any]:
    """Send one signed test event (`wats.test`), also to a paused or disabled destination. Return the response."""
    return send_test_event(_configured(name), gateway(), request.environ[TRACE])


def _configured(name: str) -> Destination:
    for destination in gateway().settings.destinations:
        if destination.name == name:
            return destination
    raise no_such("destination", name)


def _document(destination: Destination) -> dict[str, Any]:
    return _documents([destination])[0]


def _documents(destinations: Sequence[Destination]) -> list[dict[str, Any]]:
    statuses = destination_statuses(
        [destination.name for destination in destinations],
        gateway().store.queues.all(),
        gateway().store.deliveries.counts(),
    )
    return [
        {**vars(status), "url": without_query(destination.url), "format": destination.format}
        for destination, status in zip(destinations, statuses, strict=True)
    ]
