"""The answer to what gunicorn refuses before the application sees it: like our other errors, logged and counted."""

import logging
import secrets
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from gunicorn.http import errors
from gunicorn.util import write_nonblock

from app.domain.trace import TraceContext
from app.server.connection import Connection
from app.server.request_head import (
    HEAD_SECONDS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_HEADERS_BYTES,
    MAX_LINE_BYTES,
    HeadTimeout,
    RefusedRequest,
)
from app.web.errors import STATUS_OF, ApiError, error_body
from app.web.middleware import ERROR_CODE, NO_STORE, NOSNIFF, REQUEST_ID, REQUEST_ID_HEADER, TRACE, Observer

log = logging.getLogger(__name__)

LIMITS = f"at most {MAX_HEADERS}, of {MAX_HEADER_BYTES} bytes each, and {MAX_HEADERS_BYTES} bytes in all"
REFUSALS: list[tuple[tuple[type[Exception], ...], str, str]] = [
    ((errors.LimitRequestLine,), "uri_too_long", f"The request line is longer than {MAX_LINE_BYTES} bytes."),
    ((errors.LimitRequestHeaders,), "headers_too_large", f"The headers are too large; allowed are {LIMITS}."),
    ((HeadTimeout,), "headers_timeout", f"The headers did not arrive within {HEAD_SECONDS} seconds."),
    ((errors.UnsupportedTransferCoding,), "unsupported_coding", "Of the transfer codings only `chunked` is known."),
    ((errors.ExpectationFailed,), "expectation_failed", "Of the expectations only `100-continue` is known."),
    ((errors.InvalidResponseHeader, errors.InvalidResponseHeaderName), "internal_error", "An internal error."),
    ((errors.InvalidHTTPVersion,), "bad_request", "Only HTTP/1.0 and HTTP/1.1 are spoken here."),
    ((errors.InvalidRequestMethod,), "bad_request", "The method is malformed."),
    ((errors.InvalidRequestLine,), "bad_request", "The request line is malformed."),
    (
        (errors.InvalidHeader, errors.InvalidHeaderName, errors.ObsoleteFolding),
        "bad_request",
        "A header is malformed, or is given twice.",
    ),
    ((errors.ParseException,), "bad_request", "This is not well-formed HTTP."),
    ((Exception,), "internal_error", "An internal error; the log has its trace."),
]
"""The code and the message of each kind of error; the first row that fits counts."""


def refuse(observer: Observer, access_log: Any, client: Connection, error: Exception) -> ApiError:
    """Answer the client, write the line of the log, count the answer. Return what was answered."""
    refused = error if isinstance(error, RefusedRequest) else RefusedRequest(error, "", "")
    answer, request_id, trace = api_error_of(refused.reason), secrets.token_hex(12), TraceContext.new()
    status = STATUS_OF[answer.code]
    if answer.code == "internal_error":
        fields = {"request_id": request_id, "trace_id": trace.trace_id, "method": refused.method}
        log.error("http.failed", exc_info=refused.reason, extra=fields)
    body = error_body(answer, request_id).encode()
    with suppress(OSError):
        write_nonblock(client, _head(status, request_id, len(body)) + body)
    observer.request_answered(route="unmatched", method="any", status=str(status), seconds=0.0)
    environ = {
        "REQUEST_METHOD": refused.method,
        "PATH_INFO": refused.path,
        REQUEST_ID: request_id,
        TRACE: trace,
        ERROR_CODE: answer.code,
    }
    access_log.access(SimpleNamespace(status=str(status), sent=len(body)), None, environ, timedelta())
    return answer


def api_error_of(reason: Exception) -> ApiError:
    """Return the error as clients get it."""
    return next(ApiError(code, message) for kinds, code, message in REFUSALS if isinstance(reason, kinds))


def _head(status: int, request_id: str, length: int) -> bytes:
    headers = [
        ("Connection", "close"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(length)),
        NOSNIFF,
        NO_STORE,
        (REQUEST_ID_HEADER, request_id),
    ]
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode()
