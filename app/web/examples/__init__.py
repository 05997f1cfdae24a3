"""One example of every event type, split out of a webhook as Meta sends it.

The documentation, the OpenAPI document and the tests use them.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from app.domain.event import Event
from app.domain.meta.parse import split
from app.web.examples.business import BUSINESSES
from app.web.examples.changes import AT, CONTACT, PHONE, USER_ID, Change, Changes, change, status
from app.web.examples.contacts import CONTACTS
from app.web.examples.messages import MESSAGES, STATUSES
from app.web.examples.operator import operator_events
from app.web.examples.outbound import outbound_events

_NEW_MESSAGE = {"id": "wamid.new", "from": PHONE, "from_user_id": USER_ID, "timestamp": AT, "type": "text"}

UNKNOWN: Changes = {
    "unknown.standby": change("standby", contacts=[CONTACT], messages=[_NEW_MESSAGE]),
    "unknown.messages": status("arrived", type="parcel"),
    "unknown.envelope": {"field": "", "value": {"no": "field"}},
}

CHANGES: Changes = {**MESSAGES, **STATUSES, **CONTACTS, **BUSINESSES, **UNKNOWN}
RECEIVED_AT = datetime(2025, 11, 24, 16, 0, 1, tzinfo=UTC)


def envelope_of(change: Change) -> dict[str, Any]:
    """Return Meta's envelope around an example."""
    entry = {"id": "1234567890", "time": int(AT), "changes": [change]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def example_events() -> dict[str, Event]:
    """Return the examples as events, by type: of Meta's webhooks, of a message's own life, of the gateway itself."""
    examples = {type_: _event(change, number) for number, (type_, change) in enumerate(CHANGES.items(), 1)}
    for own in (outbound_events, operator_events):
        examples |= {event.type: event for event in own(first_sequence=len(examples) + 1)}
    return examples


def _event(change: Change, number: int) -> Event:
    body = json.dumps(envelope_of(change)).encode()
    [new] = split(body, sha256=hashlib.sha256(body).digest(), received_at=RECEIVED_AT)
    return Event(**vars(new), sequence=number, received_at=RECEIVED_AT, receipt_id=f"rcp_{number}", foreign=False)
