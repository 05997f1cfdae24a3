"""Describes the Graph routes in the OpenAPI document by hand: their bodies have Meta's shapes, not our schemas."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from apispec import APISpec
from flask import Flask

from app.domain.meta.own_refusal import SHAPES, WRONG_PARAMETER, meta_error
from app.web.openapi_errors import MESSAGES, references
from app.web.openapi_examples import VALUES

PASSAGE, SENDS = "graph_proxy.", "graph_messages."
OWN_WRONG_PARAMETERS = ("not_passed_on", "invalid_fields", "invalid_json", "invalid_body", "invalid_parameter")
UNDOCUMENTED = "method_not_allowed"
"""The OpenAPI document has the allowed methods only, so that no operation answers this."""
METAS_STATUSES = (400, 401, 403, 404, 429, 500, 503)
METAS_ERROR = "graph.meta"
EXAMPLE_OF_META = {
    "error": {
        "message": "(#130429) Rate limit hit",
        "type": "OAuthException",
        "code": 130429,
        "error_data": {"messaging_product": "whatsapp", "details": "Too many messages in a short time."},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
}
PROFILE = {"messaging_product": "whatsapp", "about": "We are open until six."}
ANSWERS = {"get": {"data": [PROFILE]}}
DONE = {"success": True}
WITH_BODY = ("post", "put", "patch")
TEXT = {"messaging_product": "whatsapp", "to": "+4915112345678", "type": "text", "text": {"body": "hi"}}
ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+4915112345678", "wa_id": "4915112345678"}],
    "messages": [{"id": "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjI2QzkzRTIzNDc1QTE5ODY2RAA="}],
}
META_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": "integer"},
                "error_subcode": {"type": "integer"},
                "error_data": {},
                "fbtrace_id": {"type": "string"},
            },
        }
    },
}


def document_graph(spec: APISpec, app: Flask) -> None:
    """Add the passage and the sending of messages to the document."""
    spec.tag({"name": "graph", "description": "Meta's Graph API, with a token of ours."})
    for name, example in _examples():
        spec.components.example(name, {"value": example})
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith((PASSAGE, SENDS)):
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            describe = _describe_call if rule.endpoint.startswith(PASSAGE) else _describe_send
            spec.path(rule=rule, operations={method.lower(): describe(method.lower()) for method in sorted(methods)})


def _describe_call(method: str) -> dict[str, Any]:
    body = {"requestBody": {"content": _json({"type": "object"}, PROFILE)}} if method in WITH_BODY else {}
    content = _json({"type": "object"}, ANSWERS.get(method, DONE))
    return {
        "tags": ["graph"],
        "summary": "Make any call of the Graph API, with our token in and Meta's out.",
        **body,
        "responses": {"200": {"description": "Meta's answer, as it is.", "content": content}, **_errors()},
    }


def _describe_send(_method: str) -> dict[str, Any]:
    return {
        "tags": ["graph"],
        "summary": "Send a message as Meta's API takes it, at most once, and wait for Meta's answer.",
        "requestBody": {"required": True, "content": _json({"type": "object"}, TEXT)},
        "responses": {
            "200": {"description": "Meta's answer.", "content": _json({"type": "object"}, ACCEPTED)},
            **_errors(),
        },
    }


def _errors() -> dict[str, Any]:
    """Return the responses of Meta's errors, and of ours in their shape."""
    codes: dict[int, list[str]] = defaultdict(list, {status: [] for status in METAS_STATUSES})
    codes[WRONG_PARAMETER] += OWN_WRONG_PARAMETERS
    for code, (status, _) in SHAPES.items():
        if code != UNDOCUMENTED:
            codes[status].append(code)
    return {
        str(status): {
            "description": _description(of_status),
            "content": {"application/json": {"schema": META_ERROR, "examples": references(_names(of_status))}},
        }
        for status, of_status in sorted(codes.items())
    }


def _names(codes: list[str]) -> list[str]:
    return [f"graph.{code}" for code in codes] or [METAS_ERROR]


def _examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the body of an example of each error, in Meta's form."""
    yield METAS_ERROR, EXAMPLE_OF_META
    for code in (*SHAPES, *OWN_WRONG_PARAMETERS):
        if code != UNDOCUMENTED:
            yield f"graph.{code}", meta_error(code, MESSAGES[code], None, VALUES["requestId"])[1]


def _description(codes: list[str]) -> str:
    ours = f", or ours: {', '.join(f'`{code}`' for code in codes)}" if codes else ""
    return f"Meta's error{ours}."


def _json(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "example": example}}
