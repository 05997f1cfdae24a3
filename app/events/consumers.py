"""Consumers: named readers, whose place we remember for them."""

import re
from typing import Any

from app.events.cursors import event_cursor, read_event_cursor
from app.events.schemas import AckSchema, ConsumerSchema
from app.gateway import gateway
from app.store import Consumer
from app.web.errors import ApiError, not_found
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.paging import PAGE_PARAMETERS, page, page_request
from app.web.query_parameters import accepts_query
from app.web.schemas import page_of

bp = JsonBlueprint("consumers", __name__, description="Named readers of events.")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def read_name(name: str) -> str:
    """A consumer's name, or a 400."""
    if not NAME.fullmatch(name):
        raise ApiError("invalid_parameter", "A consumer's name has 1 to 100 letters, digits, '.', '_' and '-'.")
    return name


@bp.get("/consumers")
@guarded_by(bearer("read"))
@accepts_query(bp, *PAGE_PARAMETERS)
@bp.response(200, page_of(ConsumerSchema))
def list_consumers() -> dict[str, Any]:
    """List consumers by name, each with its place and how much it has not read yet."""
    asked = page_request(NAME)
    found = page(gateway().store.consumers.page(after=asked.after, limit=asked.limit), asked)
    return {**found, "items": [_told(each) for each in found["items"]]}


@bp.post("/consumers/<name>/ack")
@guarded_by(bearer("read"))
@bp.arguments(AckSchema)
@bp.response(200, ConsumerSchema)
def ack_consumer(body: dict[str, str], name: str) -> dict[str, Any]:
    """Remember up to where a consumer has read. It may go back, too, and read again."""
    if not gateway().store.consumers.ack(read_name(name), read_event_cursor(body["cursor"])):
        raise ApiError("too_many", "There are too many consumers; delete those that nobody is any more.")
    return _told(_found(name))


@bp.delete("/consumers/<name>")
@guarded_by(bearer("read"))
@bp.response(204)
def delete_consumer(name: str) -> None:
    """Forget a consumer. Should it come back, it begins at the oldest event."""
    if not NAME.fullmatch(name) or not gateway().store.consumers.forget(name):
        raise not_found()


def _found(name: str) -> Consumer:
    consumer = gateway().store.consumers.get(name)
    if consumer is None:  # deleted since
        raise not_found()
    return consumer


def _told(consumer: Consumer) -> dict[str, Any]:
    return {**vars(consumer), "cursor": event_cursor(consumer.cursor)}
