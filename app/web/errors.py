"""The one error shape, and the only place where a refusal becomes an HTTP status.

Every error body is `{"error": {"code", "message", "requestId", "details"?}}`.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.store import StoreUnavailable
from app.web.middleware import REQUEST_ID

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
    "missing_signature": 401,
    "signature_mismatch": 401,
    "unauthorized": 401,
    "forbidden": 403,
    "verify_token_mismatch": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_timeout": 408,
    "too_many": 409,
    "unknown_destination": 409,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_fields": 422,
    "internal_error": 500,
    "busy": 503,
    "unavailable": 503,
}


RETRY: Mapping[str, str] = {"Retry-After": "1"}


class ApiError(Exception):
    """A request that is not served: a stable code, a message for people, and what else helps."""

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


def error_response(refusal: ApiError, status: int | None = None) -> Response:
    """The refusal in the one shape, under the status its code stands for."""
    error: dict[str, Any] = {
        "code": refusal.code,
        "message": refusal.message,
        "requestId": request.environ[REQUEST_ID],
    }
    if refusal.details is not None:
        error["details"] = refusal.details
    body = json.dumps({"error": error}, separators=(",", ":"))
    return Response(body, status or STATUS_OF[refusal.code], refusal.headers, mimetype="application/json")


def answer_http_exception(error: HTTPException) -> Response:
    """Flask's own refusals (404, 405, 413, …) in our shape, without HTML."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    refusal = ApiError(_code_of(status), f"{status.phrase}.", headers=_allow(error))
    return error_response(refusal, status.value)


def not_found() -> ApiError:
    """The answer of a path that leads nowhere, and of one that is hidden: they must not differ."""
    return ApiError("not_found", "Not Found.")


def answer_unexpected(error: Exception) -> Response:
    """A mistake of ours: the log gets the trace, the client a code and the id to ask about."""
    log.error(
        "http.failed", exc_info=error, extra={"request_id": request.environ[REQUEST_ID], "method": request.method}
    )
    return error_response(ApiError("internal_error", "Something went wrong on our side; it is in the log."))


def answer_unavailable(error: StoreUnavailable) -> Response:
    """The store cannot take or tell it now; whoever asked may ask again."""
    log.warning("store.unavailable", extra={"request_id": request.environ[REQUEST_ID], "reason": str(error)})
    return error_response(ApiError("unavailable", "The store is not available now; try again.", headers=RETRY))


def register_errors(app: Flask) -> None:
    """Give every way to fail its answer."""
    app.register_error_handler(ApiError, error_response)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(StoreUnavailable, answer_unavailable)
    app.register_error_handler(Exception, answer_unexpected)


def _code_of(status: HTTPStatus) -> str:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "body_too_large"
    return "internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else status.name.lower()


def _allow(error: HTTPException) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return {"Allow": ", ".join(sorted(error.valid_methods))}
    return {}
