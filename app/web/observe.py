"""Each request leaves its route, status and duration: in the metrics, and for gunicorn's access log."""

import time

from flask import Flask, Response, request

from app.gateway import gateway

ROUTE = "wats.route"
STARTED = "wats.started"


def register_observation(app: Flask) -> None:
    """Time every request, from before its guard until its answer is made."""
    app.before_request(_start)
    app.after_request(_observe)


def _start() -> None:
    request.environ[STARTED] = time.perf_counter()
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


def _observe(response: Response) -> Response:
    gateway().metrics.request_answered(
        route=request.environ.get(ROUTE, "unmatched"),
        method=request.method if request.url_rule is not None else "any",
        status=str(response.status_code),
        seconds=time.perf_counter() - request.environ[STARTED],
    )
    return response
