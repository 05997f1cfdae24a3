"""Meta's two requests in the OpenAPI document: their routes are plain Flask, so they are described by hand."""

from typing import Any

from apispec import APISpec
from flask import Flask

from app.domain.meta.envelope import meta_envelope
from app.web.examples import example_events

STATUS_BODY = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string", "enum": ["accepted", "duplicate"]}},
}


def document_webhook(spec: APISpec, app: Flask) -> None:
    """Add Meta's two requests to the document."""
    spec.tag({"name": "webhook", "description": "The requests that Meta sends."})
    operations = {"webhook.answer_handshake": {"get": _handshake()}, "webhook.receive_webhook": {"post": _webhook()}}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in operations:
            spec.path(rule=rule, operations=operations[rule.endpoint])


def _handshake() -> dict[str, Any]:
    parameters = [
        {"in": "query", "name": name, "required": True, "schema": {"type": "string"}}
        for name in ("hub.mode", "hub.verify_token", "hub.challenge")
    ]
    return {
        "tags": ["webhook"],
        "summary": "Answer Meta's handshake with its challenge.",
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The challenge.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
        },
    }


def _webhook() -> dict[str, Any]:
    content = {"schema": {"type": "object"}, "example": meta_envelope(example_events()["message.text"])}
    return {
        "tags": ["webhook"],
        "summary": "Receive a webhook; 200 means that its bytes are on disk.",
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": {
                "description": "Stored durably.",
                "content": {"application/json": {"schema": STATUS_BODY}},
            },
        },
    }
