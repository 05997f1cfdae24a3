"""The requests that the gateway sends to destinations, for the OpenAPI document."""

from copy import deepcopy
from typing import Any

from app.domain.event_json import event_json
from app.domain.meta.envelope import meta_envelope
from app.domain.meta.signature import SIGNATURE_HEADER
from app.web.examples import example_events

STANDARD_WEBHOOKS = {
    "webhook-id": "The event's id, the same on every attempt: a receiver that has it already can ignore the request.",
    "webhook-timestamp": "When this attempt was signed, in seconds since 1970.",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, one for each active secret.",
}
META_SIGNATURE = {SIGNATURE_HEADER: "`sha256=` and the hex HMAC-SHA256 of the body under the destination's secret."}
OF_BOTH = {"traceparent": "The trace of the webhook, and this attempt's span in it, as W3C Trace Context has it."}
RESPONSES = {
    "2XX": {"description": "Accepted. The body of the response is ignored."},
    "410": {"description": "Gone: the destination is disabled until an operator resumes it."},
    "default": {"description": "Failed. It is retried for about three days; `Retry-After` is honoured."},
}


def outgoing_webhooks() -> dict[str, Any]:
    """Return the `webhooks` of the document, one for each format of a destination."""
    return {"event": {"post": _pushed_event()}, "metaEnvelope": {"post": _pushed_envelope()}}


def _pushed_event() -> dict[str, Any]:
    events = example_events()
    return {
        "summary": "Push an event (a destination of the format `events`), signed as Standard Webhooks says.",
        "parameters": _headers({**STANDARD_WEBHOOKS, **OF_BOTH}),
        "requestBody": _body({type_: event_json(event) for type_, event in events.items()}, "Event"),
        **_operation("pushEvent"),
    }


def _pushed_envelope() -> dict[str, Any]:
    text = example_events()["message.text"]
    return {
        "summary": "Push an event in Meta's own envelope (a destination of the format `meta`), signed as Meta signs.",
        "parameters": _headers({**META_SIGNATURE, **OF_BOTH}),
        "requestBody": _body({text.type: meta_envelope(text)}, None),
        **_operation("pushMetaEnvelope"),
    }


def _operation(name: str) -> dict[str, Any]:
    return {"operationId": name, "tags": ["outgoing"], "security": [], "responses": RESPONSES}


def _headers(described: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"in": "header", "name": name, "required": True, "schema": {"type": "string"}, "description": description}
        for name, description in described.items()
    ]


def _body(examples: dict[str, Any], schema: str | None) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "object"}
    named = {name: {"value": value} for name, value in examples.items()}
    # A deep copy: apispec changes the document in place, and the examples share objects.
    return {
        "required": True,
        "content": {"application/json": {"schema": reference, "examples": deepcopy(named)}},
    }
