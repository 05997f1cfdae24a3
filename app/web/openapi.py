"""The OpenAPI document: made from the routes, with our form of errors and the security of each guard."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from threading import Lock
from typing import Any

from apispec import APISpec
from flask import Flask, Response
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from app.domain import VERSION
from app.web.errors import http_error_response
from app.web.guards import OPEN, Guard, guard_of
from app.web.openapi_errors import error_examples, error_responses
from app.web.openapi_operations import OF_SERVER, codes_of, operation_id
from app.web.openapi_schemas import add_examples, loosen_responses, name_any_type
from app.web.openapi_webhooks import outgoing_webhooks
from app.web.schemas import ErrorSchema

OPENAPI_CONFIG = {
    "API_TITLE": "wats",
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": None,
}
DESCRIPTION = "A self-hosted gateway to the WhatsApp Business Platform."
SERVERS = [{"url": "/", "description": "The gateway that this document comes from."}]
UNUSED_SCHEMAS = ("PaginationMetadata",)
"""Schemas that flask-smorest adds for its own pages."""
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
    """flask-smorest's Api with our form of errors; it would otherwise register its own for the whole application.

    Routes are documented when a process is first asked for the document. Most processes never are, and it would take
    half the time and memory of a new application.
    """

    ERROR_SCHEMA = ErrorSchema

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self._undocumented: list[Callable[[], object]] = []
        self._documenting = Lock()

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint, and document its routes later."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint, **options)
        self.document_later(lambda _spec, app: self._document(blueprint, app))

    def document_later(self, document: Callable[[APISpec, Flask], object]) -> None:
        """Let this function add its part of the document once it is asked for."""
        self._undocumented.append(partial(document, self.spec, self._app))

    def documented(self) -> dict[str, Any]:
        """Return the document of all routes, in the order of their registration, with their schemas."""
        with self._documenting:
            while self._undocumented:
                self._undocumented[0]()
                del self._undocumented[0]
            return deepcopy(self.spec.to_dict())

    def _document(self, blueprint: Blueprint, app: Flask) -> None:
        blueprint.register_views_in_doc(self, app, self.spec, name=blueprint.name, parameters=None)
        self.spec.tag({"name": blueprint.name, "description": blueprint.description})

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
    """Return the document of every route. What follows from rules is added here, for all operations."""
    api: DocumentedApi = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    document: dict[str, Any] = {**api.documented(), "servers": SERVERS, "webhooks": outgoing_webhooks()}
    schemas = document["components"]["schemas"]
    document["components"].setdefault("examples", {}).update(error_examples())
    for unused in UNUSED_SCHEMAS:
        schemas.pop(unused, None)
    seen: set[str] = set()
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: len(rule.rule), reverse=True):
        if path := document["paths"].get(_openapi_path(rule.rule)):
            name = app.view_functions[rule.endpoint].__name__
            _complete_path(app, rule, path, is_alias=name in seen)
            seen.add(name)
    for path in document["paths"].values():
        path.pop("parameters", None)  # each operation has its own
    document["components"].pop("responses", None)
    loosen_responses(document)
    name_any_type(document)
    add_examples(document)
    return document


def _complete_path(app: Flask, rule: Rule, path: dict[str, Any], *, is_alias: bool) -> None:
    """Add to the operations of a path their id, the security of their guard, and their errors.

    Graph's operations declare their errors themselves, because these have Meta's form.
    """
    view, guard = app.view_functions[rule.endpoint], guard_of(app, rule.endpoint)
    assert guard is not None, "every endpoint names a guard"
    methods = [method for method in path if method.upper() in (rule.methods or ())]
    for method in methods:
        operation = path[method]
        operation["parameters"] = [*deepcopy(path.get("parameters", [])), *operation.get("parameters", [])]
        operation["operationId"] = operation_id(
            view.__name__, method, has_more_methods=len(methods) > 1, is_alias=is_alias
        )
        operation["security"] = _security(guard)
        own = {status: own for status, own in operation["responses"].items() if status not in ("default", "422")}
        errors = error_responses(OF_SERVER if "401" in own else codes_of(view, guard, operation))
        operation["responses"] = {**errors, **own}


def _security(guard: Guard) -> list[dict[str, list[str]]]:
    if guard is OPEN:
        return []
    name, _, scope = guard.name.partition(":")
    return [{SCHEME_OF_GUARD[name]: [scope] if scope else []}]


def _openapi_path(rule: str) -> str:
    return rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
