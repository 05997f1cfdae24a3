"""The HTTP routes of consumers: named readers whose position in the events the gateway stores."""

from typing import Any

from app.events.cursors import event_cursor, read_event_cursor
from app.events.query_parameters import CONSUMER_NAME, read_consumer_name
from app.events.schemas import AckSchema, ConsumerSchema
from app.store import Consumer
from app.web.current import gateway
from app.web.errors import ApiError, no_such
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.openapi_operations import refuses
from app.web.paging import PAGE_PARAMETERS, page, page_request
from app.web.query_parameters import accepts_query
from app.web.schemas import page_of

bp = JsonBlueprint("consumers", __name__, description="Named readers of events.")


@bp.get("/consumers")
@guarded_by(bearer("read"))
@accepts_query(bp, *PAGE_PARAMETERS)
@bp.response(200, page_of(ConsumerSchema))
def list_consumers() -> dict[str, Any]:
    """List consumers by name, each with its cursor and the number of events it has not read."""
    requested = page_request(CONSUMER_NAME)
    consumers = gateway().store.consumers.page(after=requested.after, limit=requested.limit)
    listed = page(consumers, requested)
    return {**listed, "items": [_to_json(consumer) for consumer in listed["items"]]}


@bp.get("/consumers/<name>")
@guarded_by(bearer("read"))
@bp.response(200, ConsumerSchema)
def show_consumer(name: str) -> dict[str, Any]:
    """Show one consumer, with its cursor and the number of events it has not read."""
    return _to_json(_existing(name))


@bp.post("/consumers/<name>/ack")
@guarded_by(bearer("read"))
@refuses("too_many", "invalid_cursor")
@bp.arguments(AckSchema)
@bp.response(200, ConsumerSchema)
def ack_consumer(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Store how far a consumer has read. An older cursor, or an earlier time, makes it read events again."""
    name, store = read_consumer_name(name), gateway().store
    if "since" in body:
        read = store.events.last_before(body["since"])
    else:
        read = read_event_cursor(store, body["cursor"]).sequence
    if not store.consumers.ack(name, read):
        raise ApiError("too_many", "There are too many consumers; delete the ones that are no longer used.")
    return _to_json(_existing(name))


@bp.delete("/consumers/<name>")
@guarded_by(bearer("read"))
@bp.response(204)
def delete_consumer(name: str) -> None:
    """Delete a consumer. One with the same name starts again at the oldest event."""
    if not CONSUMER_NAME.fullmatch(name) or not gateway().store.consumers.delete(name):
        raise no_such("consumer", name)


def _existing(name: str) -> Consumer:
    consumer = gateway().store.consumers.get(name) if CONSUMER_NAME.fullmatch(name) else None
    if consumer is None:
        raise no_such("consumer", name)
    return consumer


def _to_json(consumer: Consumer) -> dict[str, Any]:
    return {**vars(consumer), "cursor": event_cursor(gateway().store, consumer.position)}
