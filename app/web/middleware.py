"""WSGI middleware around the whole application, for all requests and responses.

Each request gets an id (the client's own if it is well-formed) and a span, in the trace of its `traceparent` or in a
new one, and is timed until the response starts. Each response has that id, forbids content sniffing, and is not
cached unless it says so. After an error response, the rest of the request body is read and discarded, within limits.

We use WSGI middleware because it sees every response and takes a third of the time of Flask's hooks.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from app.tracing import Span, Tracing

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]

REQUEST_ID = "wats.request_id"
TRACE = "wats.trace"
"""The key of the environ under which a request has its `TraceContext`."""

MESSAGE = "wats.message"
"""The id of the message that a request has accepted, for the log."""

ROUTE = "wats.route"
IS_ERROR = "wats.is_error"
ERROR_CODE = "wats.error_code"
"""The code of the error that a request is answered with, for the log."""

REQUEST_ID_HEADER = "X-Request-Id"
TRACE_HEADER = "traceresponse"
"""Its form is that of `traceparent`. Source: the draft of W3C Trace Context, level 3."""

NOSNIFF = ("X-Content-Type-Options", "nosniff")
NO_STORE = ("Cache-Control", "no-store")

_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Observer(Protocol):
    """Counts responses."""

    def request_answered(self, *, route: str, method: str, status: str, seconds: float) -> None: ...


class RequestMiddleware:
    """Wraps a WSGI application. When the application returns, it calls `release`.

    If that returns False, gunicorn closes the connection after the response. `traced`: how the routes begin whose
    answers name their trace, and whose spans are ended. The others ask how we are, or are not ours. `labels`: what a
    route is counted as, where that is not its template: a path from the config is another one in each installation.
    """

    def __init__(
        self,
        app: WsgiApp,
        observer: Observer,
        release: Callable[[Environ], bool],
        tracing: Tracing,
        traced: tuple[str, ...],
        labels: Mapping[str, str],
    ) -> None:
        self._app = app
        self._labels = labels
        self._observer = observer
        self._release = release
        self._tracing = tracing
        self._traced = traced

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        started = time.perf_counter()
        request_id = environ[REQUEST_ID] = _request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        span = self._tracing.request(environ.get("HTTP_TRACEPARENT"))
        trace = environ[TRACE] = span.context

        def respond(status: str, headers: Headers, exc_info: Any = None) -> Any:
            self._observe(environ, status[:3], time.perf_counter() - started)
            environ[IS_ERROR] = status >= "4"
            headers += (NOSNIFF, (REQUEST_ID_HEADER, request_id))
            if environ.get(ROUTE, "").startswith(self._traced):
                headers.append((TRACE_HEADER, trace.traceparent))
                if span.is_recorded:
                    _end(span, environ, status[:3])
            if not any(name == NO_STORE[0] for name, _ in headers):
                headers.append(NO_STORE)
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, respond)
        finally:
            if not self._release(environ):
                _close_after(start_response)

    def _observe(self, environ: Environ, status: str, seconds: float) -> None:
        """Count the response by its route's template. All unknown paths and methods share one label each."""
        route = environ.get(ROUTE)
        method = environ["REQUEST_METHOD"] if route else "any"
        label = self._labels.get(route, route) if route else "unmatched"
        self._observer.request_answered(route=label, method=method, status=status, seconds=seconds)


def _end(span: Span, environ: Environ, status: str) -> None:
    route, method = environ[ROUTE], environ["REQUEST_METHOD"]
    facts = {"method": method, "route": route, "status": int(status), "message_id": environ.get(MESSAGE)}
    span.end(facts, name=f"{method} {route}")


def _request_id(given: str) -> str:
    return given if _REQUEST_ID_FORM.fullmatch(given) else secrets.token_hex(12)


def _close_after(start_response: Any) -> None:
    """Make gunicorn close the connection after this response; WSGI itself has no way to ask for it."""
    force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
    if force_close is not None:
        force_close()
