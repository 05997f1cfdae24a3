"""A test event: pushed and signed like every event, marked as a test, and not stored."""

import uuid
from datetime import datetime
from typing import Any

from app.config import Destination
from app.delivery.deliver import answer_of, body_for, headers_for
from app.domain.event import Event, Origin
from app.domain.own_event import own_event
from app.domain.trace import TraceContext
from app.gateway import Gateway

TEST_TYPE = "wats.test"
ORIGIN = Origin("whatsapp_business_account", {"id": "0"}, TEST_TYPE, {}, [], "value")
ITEM = {"test": True, "text": "A test of wats: nothing happened."}


def send_test_event(destination: Destination, gateway: Gateway, trace: TraceContext) -> dict[str, Any]:
    """Push one test event and return the response. It counts neither for the breaker nor in the metrics."""
    at = gateway.clock()
    event = new_test_event(at)
    body = body_for(destination, event, gateway.settings.service.media_url)
    response = gateway.destinations.post(destination, body, headers_for(destination, event, body, at, trace.child()))
    return {
        "ok": response.is_success,
        "status": response.status,
        "error": response.error,
        "duration_ms": response.duration_ms,
        "answer": answer_of(response, destination),
    }


def new_test_event(at: datetime) -> Event:
    """Return an event with a new id. No receipt holds it, and it has no sequence number."""
    new = own_event(f"evt_{uuid.uuid4().hex}", TEST_TYPE, at, ITEM, ORIGIN, raw=ITEM)
    return Event(**vars(new), sequence=0, received_at=at, receipt_id="rcp_0", foreign=False)
