"""The one form of errors, and the only place where an error code becomes an HTTP status.

Every error body is `{"error": {"code", "message", "requestId", "details"?}}`, but below `<api>/graph`, where clients
of Meta's API read it: there it has the shape of Meta's errors.
"""

import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.domain.compact_json import compact_json
from app.domain.meta.own_refusal import meta_error
from app.store import StoreError
from app.web.current import gateway
from app.web.graph_calls import GRAPH_CALL
from app.web.middleware import ERROR_CODE, REQUEST_ID, TRACE

log = logging.getLogger(__name__)

STATUS_OF: Mapping[str, int] = {
    "bad_request": 400,
    "invalid_body": 400,
    "invalid_cursor": 400,
    "invalid_handshake": 400,
    "invalid_json": 400,
    "invalid_limit": 400,
    "invalid_parameter": 400,
    "invalid_signature_format": 400,
    "message_pending": 400,
    "not_passed_on": 400,
    "unknown_number": 400,
    "missing_signature": 401,
    "signature_mismatch": 401,
    "unauthorized": 401,
    "forbidden": 403,
    "verify_token_mismatch": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_timeout": 408,
    "headers_timeout": 408,
    "erased": 409,
    "idempotency_conflict": 409,
    "not_fetching": 409,
    "no_wamid": 409,
    "not_inbound": 409,
    "not_dead": 409,
    "not_queued": 409,
    "not_unknown": 409,
    "not_unreadable": 409,
    "too_many": 409,
    "too_young": 409,
    "unknown_destination": 409,
    "length_required": 411,
    "body_too_large": 413,
    "uri_too_long": 414,
    "unsupported_media_type": 415,
    "expectation_failed": 417,
    "invalid_fields": 422,
    "media_refused": 422,
    "window_closed": 422,
    "headers_too_large": 431,
    "internal_error": 500,
    "unsupported_coding": 501,
    "answer_lost": 502,
    "meta_refused": 502,
    "busy": 503,
    "meta_unavailable": 503,
    "unavailable": 503,
}
RETRY: Mapping[str, str] = {"Retry-After": "1"}
_ID = re.compile(r"[a-z]{3}_[0-9a-f]{1,32}")


class ApiError(Exception):
    """A refused request: a stable code, a message for people, and further details and headers."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}


def error_response(error: ApiError, status: int | None = None) -> Response:
    """Return the error as a response; its code gives the status."""
    request.environ[ERROR_CODE] = error.code
    if GRAPH_CALL in request.environ:
        status, shaped = meta_error(error.code, error.message, error.details, request.environ[REQUEST_ID])
        return Response(json.dumps(shaped), status, error.headers, mimetype="application/json")
    body = error_body(error, request.environ[REQUEST_ID])
    return Response(body, status or STATUS_OF[error.code], error.headers, mimetype="application/json")


def error_body(error: ApiError, request_id: str) -> str:
    """Return the body of an error."""
    body: dict[str, Any] = {"code": error.code, "message": error.message, "requestId": request_id}
    if error.details is not None:
        body["details"] = error.details
    return compact_json({"error": body})


def http_error_response(error: HTTPException) -> Response:
    """Return Flask's own errors (404, 405, 413, …) in our form, without HTML."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return error_response(ApiError(_code_of(status), f"{status.phrase}.", headers=_allow(error)), status.value)


def not_found() -> ApiError:
    """Return the error of an unknown path, and of a hidden one: the two must not differ."""
    return ApiError("not_found", "Not Found.")


def not_passed_on(reason: str) -> ApiError:
    """Return the error for a call that is not passed on to Meta."""
    return ApiError("not_passed_on", f"wats does not pass this on: {reason}.")


def no_such(kind: str, name: str) -> ApiError:
    """Return the error of a caller with a valid token that asks for something that is not there.

    Only one of our ids is repeated: any other name may be a secret that was put in the wrong place.
    """
    missing = f"{kind} {name}" if _ID.fullmatch(name) else f"such {kind}"
    return ApiError("not_found", f"There is no {missing}.")


def internal_error_response(error: Exception) -> Response:
    """Log the trace of an internal error; the client gets only a code and the request's id."""
    environ = request.environ
    fields = {"request_id": environ[REQUEST_ID], "trace_id": environ[TRACE].trace_id, "method": request.method}
    log.error("http.failed", exc_info=error, extra=fields)
    return error_response(ApiError("internal_error", "An internal error; the log has its trace."))


def unavailable_response(error: StoreError, details: Mapping[str, Any] | None = None) -> Response:
    """Answer that the store is unavailable; the client may try again."""
    environ = request.environ
    gateway().store.outage.met(error, request_id=environ[REQUEST_ID], trace_id=environ[TRACE].trace_id)
    message = "The store is unavailable; try again."
    return error_response(ApiError("unavailable", message, details=details, headers=RETRY))


def register_errors(app: Flask) -> None:
    """Register a handler for every kind of error."""
    app.register_error_handler(ApiError, error_response)
    app.register_error_handler(HTTPException, http_error_response)
    app.register_error_handler(StoreError, unavailable_response)
    app.register_error_handler(Exception, internal_error_response)


def _code_of(status: HTTPStatus) -> str:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "body_too_large"
    return "internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else status.name.lower()


def _allow(error: HTTPException) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return {"Allow": ", ".join(sorted(error.valid_methods))}
    return {}
