"""The OpenAPI document: made from the routes, with our form of errors and the security of each guard."""

from typing import Any

from flask import Flask, Response
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from app.domain import VERSION
from app.web.errors import http_error_response
from app.web.guards import OPEN, Guard, guard_of
from app.web.openapi_webhooks import outgoing_webhooks
from app.web.schemas import ErrorSchema

OPENAPI_CONFIG = {
    "API_TITLE": "wats",
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": None,
}
DESCRIPTION = "A self-hosted gateway to the WhatsApp Business Platform."
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A service token of the profile."},
    "metaSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hub-Signature-256",
        "description": "`sha256=` and the lowercase hex HMAC-SHA256 of the raw body under the app secret.",
    },
    "verifyToken": {"type": "apiKey", "in": "query", "name": "hub.verify_token"},
}
SCHEME_OF_GUARD = {
    "bearer": "bearer",
    "hidden": "bearer",
    "meta-signature": "metaSignature",
    "verify-token": "verifyToken",
}


class DocumentedApi(Api):  # type: ignore[misc]
    """flask-smorest's Api with our form of errors; it would otherwise register its own for the whole application."""

    ERROR_SCHEMA = ErrorSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Return the error in our form."""
        return http_error_response(error)


def documented_api(app: Flask) -> DocumentedApi:
    """Return the Api that documents the routes of the blueprints registered with it."""
    app.config.update(OPENAPI_CONFIG)
    api = DocumentedApi(app, spec_kwargs={"info": {"description": DESCRIPTION}})
    for name, scheme in SECURITY_SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    return api


def openapi_document(app: Flask) -> dict[str, Any]:
    """Return the document of every route, each with the security scheme of its guard."""
    api: DocumentedApi = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    document: dict[str, Any] = {**api.spec.to_dict(), "webhooks": outgoing_webhooks()}
    for rule in app.url_map.iter_rules():
        operations = document["paths"].get(_openapi_path(rule.rule), {})
        guard = guard_of(app, rule.endpoint)
        for method in (rule.methods or set()) & {name.upper() for name in operations}:
            operations[method.lower()]["security"] = _security(guard)
    return document


def _security(guard: Guard | None) -> list[dict[str, list[str]]]:
    if guard is None or guard is OPEN:
        return []
    name, _, scope = guard.name.partition(":")
    return [{SCHEME_OF_GUARD[name]: [scope] if scope else []}]


def _openapi_path(rule: str) -> str:
    return rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
