"""The raw body of a request: exactly the bytes that arrived, within a size, a time and a share of memory.

Werkzeug's own limit cuts a chunked body short in silence, so the bytes are counted here.
"""

from collections.abc import Iterator
from typing import Protocol

import gevent
from flask import Flask, current_app, g, request
from gunicorn.http.errors import ParseException

from app.web.errors import RETRY, Refusal

PIECE_BYTES = 64 * 1024
BODY_SECONDS = 20.0
HELD_BYTES = 96 * 1024 * 1024
EXTENSION = "wats.bodies"


class Stream(Protocol):
    """What WSGI calls `wsgi.input`."""

    def read(self, size: int, /) -> bytes: ...


class BodySlow(Exception):
    """The body was not there in time. (An ordinary exception: gevent's own would pass every `except`.)"""


class BodyBudget:
    """How many bytes of bodies one process holds at a time, so that a crowd of them cannot fill its memory.

    Each request takes its share piece by piece and gives it back when it ends.
    """

    def __init__(self, app: Flask, limit: int = HELD_BYTES) -> None:
        self.limit = limit
        self.held = 0
        app.extensions[EXTENSION] = self
        app.teardown_request(self._give_back)

    def take(self, count: int) -> None:
        """Take so many bytes more for the current request, or refuse it with 503."""
        if self.held + count > self.limit:
            raise Refusal("busy", "Too many bodies are on their way in; try again.", headers=RETRY)
        self.held += count
        g.body_bytes = g.get("body_bytes", 0) + count

    def _give_back(self, _error: BaseException | None) -> None:
        self.held -= g.pop("body_bytes", 0)


def refuse_declared_over(limit: int) -> None:
    """Refuse a body that says itself that it is too large, before a byte of it is read."""
    declared = request.content_length
    if declared is not None and declared > limit:
        raise _too_large(limit)


def read_body(limit: int, *, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body, declared or chunked: 413 over the limit, 408 when late, 400 when it breaks off."""
    try:
        with gevent.Timeout(seconds, BodySlow()):
            body = b"".join(_pieces(request.environ["wsgi.input"], limit))
    except BodySlow as slow:
        raise Refusal("body_timeout", f"The body was not there within {seconds:g} seconds.") from slow
    except (OSError, ParseException) as broken:
        raise Refusal("invalid_body", "The body broke off or was framed wrongly.") from broken
    if request.content_length is not None and len(body) != request.content_length:
        raise Refusal("invalid_body", "The body is shorter than its Content-Length.")
    return body


def _pieces(stream: Stream, limit: int) -> Iterator[bytes]:
    """One byte over the limit is asked for, so that a body of just the limit is told from one beyond it."""
    budget: BodyBudget = current_app.extensions[EXTENSION]
    room = limit + 1
    while piece := stream.read(min(PIECE_BYTES, room)):
        budget.take(len(piece))
        yield piece
        room -= len(piece)
        if room == 0:
            raise _too_large(limit)


def _too_large(limit: int) -> Refusal:
    return Refusal("body_too_large", f"The body is larger than {limit} bytes.")
