"""Each request has an id: the caller's own if it is sane, else one of ours. Answers and log lines bear it."""

import re
import secrets

from flask import Flask, Response, request

HEADER = "X-Request-Id"
ENVIRON = "wats.request_id"

_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id() -> str:
    """The id of the current request. It is kept in the WSGI environment, where the access log finds it."""
    environ = request.environ
    if ENVIRON not in environ:
        environ[ENVIRON] = _chosen(request.headers.get(HEADER, ""))
    return str(environ[ENVIRON])


def register_request_ids(app: Flask) -> None:
    """Return the id with every answer."""
    app.after_request(_name_the_answer)


def _chosen(given: str) -> str:
    return given if _SANE.fullmatch(given) else secrets.token_hex(12)


def _name_the_answer(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    return response
