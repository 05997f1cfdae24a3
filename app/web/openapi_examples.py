"""Examples for the OpenAPI document, made from its schemas: of each property by its name, or of a whole schema.

A property that has no example here may name its own: `metadata={"example": …}`.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from app.domain import VERSION
from app.domain.event_json import event_json
from app.web.examples import example_events

TIME = "2026-01-02T12:00:00.000Z"
EVENT_ID = "evt_899c411a8528f649afce257dea8c4cb3"
MESSAGE_ID = "msg_0190f1a2b3c4d5e6f708192a3b4c5d6e"
MEDIA_ID = "1003383421387256"
WAMID = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjA="
PHONE, USER, NUMBER, ACCOUNT = "4915112345678", "DE.13491208655302741918", "9876543210", "1234567890"

VALUES: Mapping[str, Any] = {
    "answer": "no such key",
    "asset": "docs.js",
    "attempts": 1,
    "cause": "crm answered HTTP 404 to the last 12 events",
    "checks": "ok",
    "class": "account",
    "code": "not_found",
    "contact": PHONE,
    "cure": "mend its URL, then `flask wats destinations resume crm`",
    "cursor": "c2VxXzA",
    "data": {"text": {"body": "hi"}},
    "database": "ok",
    "decision": "failed",
    "destination": "crm",
    "details": {"fields": [{"pointer": "/to", "message": "It is missing."}]},
    "disk": "ok",
    "draining": "no",
    "error": None,
    "eventId": EVENT_ID,
    "event_id": EVENT_ID,
    "delivery_id": "dlv_1",
    "file": "(the bytes of the file)",
    "filename": "photo.jpg",
    "format": "events",
    "from": NUMBER,
    "head": "0010",
    "hub.challenge": "1158201444",
    "hub.mode": "subscribe",
    "hub.verify_token": "a-verify-token",
    "idempotencyKey": "order-4711",
    "kind": "sqlite",
    "lastError": "HTTP 404",
    "media_id": MEDIA_ID,
    "messaging_product": "whatsapp",
    "mimeType": "image/jpeg",
    "message": "There is no delivery dlv_1.",
    "message_id": MESSAGE_ID,
    "mode": "dry-run",
    "name": "crm",
    "nextCursor": None,
    "number": NUMBER,
    "ok": True,
    "path": f"{NUMBER}/whatsapp_business_profile",
    "phoneNumberId": NUMBER,
    "process": "gateway-1:412",
    "profile": "prod",
    "queue": "deliver:crm",
    "reason": "(#131031) Business Account locked",
    "receiptId": "rcp_1",
    "receipt_id": "rcp_1",
    "recipient": USER,
    "remaining": EVENT_ID,
    "requestId": "0c1f6a1e2b3c4d5e6f708192",
    "scope": f"account:{ACCOUNT}",
    "service": "wats",
    "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "signedWith": "current",
    "subject": "crm",
    "text": "Your order is ready.",
    "to": f"+{PHONE}",
    "type": "image/jpeg",
    "types": "message.*",
    "url": "http://crm:8080/hooks",
    "userId": USER,
    "version": VERSION,
    "waId": PHONE,
    "wabaId": ACCOUNT,
    "wamid": WAMID,
}
MESSAGE = {
    "id": MESSAGE_ID,
    "wamid": WAMID,
    "direction": "outbound",
    "status": "delivered",
    "type": "text",
    "to": f"+{PHONE}",
    "phoneNumberId": NUMBER,
    "createdAt": "2026-01-02T12:00:00.000Z",
    "updatedAt": "2026-01-02T12:00:02.000Z",
    "expiresAt": "2026-01-03T12:00:00.000Z",
    "pricing": {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"},
    "history": [
        {"status": "queued", "at": "2026-01-02T12:00:00.000Z"},
        {"status": "accepted", "at": "2026-01-02T12:00:00.400Z"},
        {"status": "sent", "at": "2026-01-02T12:00:01.000Z"},
        {"status": "delivered", "at": "2026-01-02T12:00:02.000Z"},
    ],
}
TEXT = {"to": f"+{PHONE}", "type": "text", "text": {"body": "Your order is ready."}}
SCHEMAS: Mapping[str, Any] = {
    "Ack": {"cursor": "c2VxXzA"},
    "BatchRequest": {"messages": [{"message": TEXT, "idempotencyKey": "order-4711"}]},
    "BatchResult": {"status": 202, "message": {**MESSAGE, "status": "queued", "wamid": None}},
    "Erase": {"contact": f"+{PHONE}"},
    "Message": MESSAGE,
    "MessageRequest": TEXT,
    "Discard": {"destination": "crm", "since": TIME, "dryRun": True},
    "Dismiss": {"since": TIME, "dryRun": True},
    "Replay": {"destination": "crm", "types": ["message.*"], "since": TIME, "state": "dead"},
    "Resolve": {"as": "failed"},
    "ResolveSelection": {"as": "failed", "contact": f"+{PHONE}", "since": TIME},
    "TextRequest": {"to": f"+{PHONE}", "text": "Your order is ready.", "previewUrl": False},
}
PARTS: Mapping[str, Mapping[str, Any]] = {
    "Checks": {"schema": "ok"},
    "Database": {"schema": "0010"},
    "Delivery": {"id": "dlv_1"},
    "Diagnostics": {
        "runtime": {"python": "3.12.3"},
        "process": {"pid": 412},
        "queues": [{"queue": "split", "paused": False}],
        "store": {"kind": "sqlite"},
        "settings": {"profile": "prod", "mode": "live"},
    },
    "OneReceipt": {"id": "rcp_1", "error": "not JSON"},
    "Media": {"id": MEDIA_ID, "url": f"/api/media/{MEDIA_ID}/content"},
    "MediaFile": {"id": MEDIA_ID, "state": "stored"},
    "Uploaded": {"id": MEDIA_ID},
    "Receipt": {"id": "rcp_1", "error": "not JSON"},
}
"""Examples of properties in a schema, where their name alone is ambiguous."""

TEXTS: Mapping[str, str] = {
    "answerHandshake": "1158201444",
    "mediaContent": "(the bytes of the file)",
    "sendAsset": "(the bytes of the file)",
    "sendEventBody": '{"type": "message.text"}',
    "sendReceiptBody": '{"object": "whatsapp_business_account", "entry": []}',
    "showDocs": "<!doctype html>\n<title>wats API</title>\n",
    "showHome": "<!doctype html>\n<title>wats</title>\n",
    "showMetrics": '# TYPE wats_queue_depth gauge\nwats_queue_depth{queue="split"} 0.0\n',
    "showRunbooks": "<!doctype html>\n<title>wats: alerts, and what to do</title>\n",
}
"""Responses that are no JSON, by the id of their operation."""


class NoExample(LookupError):
    """A property has no example: add one here, or `metadata={"example": …}` to its field."""


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> Any:
    """Return an example of a schema, which may refer to others by their names. `name`: of the property it is for."""
    if "$ref" in schema:
        return _example_named(schema["$ref"].rpartition("/")[2], schemas)
    if "allOf" in schema:
        return example_of(schema["allOf"][0], schemas, name)
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, name)
    for key in ("example", "examples", "enum"):
        if key in schema:
            return deepcopy(schema[key] if key == "example" else schema[key][0])
    if "properties" in schema:
        return {key: example_of(inner, schemas, key) for key, inner in schema["properties"].items()}
    return _value(schema, schemas, name)


def _example_named(name: str, schemas: Mapping[str, Any]) -> Any:
    if name == "Event":
        return _event()
    if name in SCHEMAS:
        return deepcopy(SCHEMAS[name])
    known: Mapping[str, Any] = PARTS.get(name, {})
    properties = schemas[name].get("properties", {})
    return {
        key: deepcopy(known[key]) if key in known else example_of(properties[key], schemas, key) for key in properties
    }


def _value(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str) -> Any:
    types = schema.get("type", "any")
    kind = types if isinstance(types, str) else types[0]
    if kind == "array":
        return [example_of(schema["items"], schemas, name)]
    if schema.get("format") == "date-time":
        return TIME
    if kind in ("integer", "number", "boolean"):
        return {"integer": 1, "number": 1.5, "boolean": False}[kind]
    if name not in VALUES:
        raise NoExample(f"{name} ({kind})")
    return deepcopy(VALUES[name])


@cache
def _event() -> dict[str, Any]:
    return event_json(example_events()["message.text"])
