"""What every request and answer has in common, around the whole application and whatever becomes of it.

Each request has an id (the caller's own if it is sane) and is timed. Each answer bears the id, is not to be
sniffed, and stays in no cache unless it says so. A refused client may finish sending, within bounds.

A WSGI layer and not Flask's hooks: it sees every answer, and costs a third.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]

REQUEST_ID = "wats.request_id"
ROUTE = "wats.route"
REFUSED = "wats.refused"
REQUEST_ID_HEADER = "X-Request-Id"
NOSNIFF = ("X-Content-Type-Options", "nosniff")
NO_STORE = ("Cache-Control", "no-store")

_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Observer(Protocol):
    """Whoever wants to know of answered requests."""

    def request_answered(self, *, route: str, method: str, status: str, seconds: float) -> None: ...


class RequestMiddleware:
    """Wraps a WSGI application."""

    def __init__(self, app: WsgiApp, observer: Observer, release: Callable[[Environ], bool]) -> None:
        self._app = app
        self._observer = observer
        self._take_leave = release

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        started = time.perf_counter()
        request_id = environ[REQUEST_ID] = _chosen(environ.get("HTTP_X_REQUEST_ID", ""))

        def answer(status: str, headers: Headers, exc_info: Any = None) -> Any:
            self._observe(environ, status[:3], time.perf_counter() - started)
            environ[REFUSED] = status >= "4"
            headers += (NOSNIFF, (REQUEST_ID_HEADER, request_id))
            if not any(name == NO_STORE[0] for name, _ in headers):
                headers.append(NO_STORE)
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, answer)
        finally:
            if not self._take_leave(environ):
                _close_after(start_response)

    def _observe(self, environ: Environ, status: str, seconds: float) -> None:
        """Count the answer under its route's template; what has none goes under one name, whatever it was."""
        route = environ.get(ROUTE)
        method = environ["REQUEST_METHOD"] if route else "any"
        self._observer.request_answered(route=route or "unmatched", method=method, status=status, seconds=seconds)


def _chosen(given: str) -> str:
    return given if _SANE.fullmatch(given) else secrets.token_hex(12)


def _close_after(start_response: Any) -> None:
    """Have gunicorn close the connection after this answer; WSGI itself has no word for it."""
    force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
    if force_close is not None:
        force_close()
