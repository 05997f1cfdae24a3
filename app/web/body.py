"""The raw body of a request: exactly the bytes that arrived, within a size, a time and a share of memory.

Werkzeug's own limit cuts a chunked body short in silence, so the bytes are counted here.
"""

import time
from collections.abc import Iterator
from typing import Protocol

import gevent
from gunicorn.http.errors import ParseException

from app.web.errors import RETRY, ApiError
from app.web.middleware import REFUSED, Environ

FIRST_PIECE_BYTES = 64
LARGEST_PIECE_BYTES = 64 * 1024
TURN_SECONDS = 0.0005
PENALTY_SECONDS = 0.01
LINGER_BYTES = 16 * 1024 * 1024
LINGER_SECONDS = 2.0
BODY_SECONDS = 20.0
HELD_BYTES = 96 * 1024 * 1024
EXTENSION = "wats.bodies"
TAKEN = "wats.body_bytes"


class Stream(Protocol):
    """What WSGI calls `wsgi.input`."""

    def read(self, size: int, /) -> bytes: ...


class BodySlow(Exception):
    """The body was not there in time. (An ordinary exception: gevent's own would pass every `except`.)"""


class BodyBudget:
    """How many bytes of bodies one process holds at a time, so that a crowd of them cannot fill its memory.

    Each request takes its share piece by piece; it is given back when the request ends.
    """

    def __init__(self, limit: int = HELD_BYTES) -> None:
        self.limit = limit
        self.held = 0

    def take(self, environ: Environ, count: int) -> None:
        """Take so many bytes more for a request, or refuse it with 503."""
        if self.held + count > self.limit:
            raise ApiError("busy", "Too many bodies are on their way in; try again.", headers=RETRY)
        self.held += count
        environ[TAKEN] = environ.get(TAKEN, 0) + count

    def release(self, environ: Environ) -> bool:
        """The request has its answer: take its share back. False if its connection must be closed."""
        self.held -= environ.pop(TAKEN, 0)
        return not environ.get(REFUSED) or discard_rest(environ)


def refuse_declared_over(environ: Environ, limit: int) -> None:
    """Refuse a body that says itself that it is too large, before a byte of it is read."""
    declared = _declared(environ)
    if declared is not None and declared > limit:
        raise _too_large(limit)


def read_body(environ: Environ, budget: BodyBudget, *, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body, declared or chunked: 413 over the limit, 408 when late, 400 when it breaks off."""
    try:
        with gevent.Timeout(seconds, BodySlow()):
            body = b"".join(_pieces(environ, budget, limit))
    except BodySlow as slow:
        raise ApiError("body_timeout", f"The body was not there within {seconds:g} seconds.") from slow
    except (OSError, ParseException) as broken:
        raise ApiError("invalid_body", "The body broke off or was framed wrongly.") from broken
    declared = _declared(environ)
    if declared is not None and len(body) != declared:
        raise ApiError("invalid_body", "The body is shorter than its Content-Length.")
    return body


def discard_rest(environ: Environ) -> bool:
    """Let a refused client finish sending, within bounds, so that it reads its answer; False if it has not.

    Left to itself gunicorn reads on for seconds, without a turn for anybody else while bytes keep coming.
    """
    if "HTTP_TRANSFER_ENCODING" not in environ and not environ.get("CONTENT_LENGTH"):
        return True
    try:
        with gevent.Timeout(LINGER_SECONDS, BodySlow()):
            return sum(len(piece) for piece in _read_fairly(environ, LINGER_BYTES)) < LINGER_BYTES
    except (BodySlow, OSError, ParseException):
        return False


def _pieces(environ: Environ, budget: BodyBudget, limit: int) -> Iterator[bytes]:
    """One byte over the limit is asked for, so that a body of just the limit is told from one beyond it."""
    declared, read = _declared(environ), 0
    for piece in _read_fairly(environ, limit + 1 if declared is None else min(declared, limit + 1)):
        budget.take(environ, len(piece))
        yield piece
        read += len(piece)
    if read > limit:
        raise _too_large(limit)


def _read_fairly(environ: Environ, most: int) -> Iterator[bytes]:
    """At most so many bytes, in pieces, with a turn for other requests after each full one.

    A socket that always has more would otherwise never let go. Pieces grow while they come quickly, and one that
    does not waits: a chunked body may come in chunks of one byte, each of which costs as much as a large one.
    """
    stream: Stream = environ["wsgi.input"]
    size = FIRST_PIECE_BYTES if "HTTP_TRANSFER_ENCODING" in environ else LARGEST_PIECE_BYTES
    while most:
        started = time.perf_counter()
        piece = stream.read(min(size, most))
        if not piece:
            return
        yield piece
        most -= len(piece)
        if len(piece) == size:
            quick = time.perf_counter() - started < TURN_SECONDS
            size = min(size * 2, LARGEST_PIECE_BYTES) if quick else max(size // 2, FIRST_PIECE_BYTES)
            gevent.sleep(0 if quick else PENALTY_SECONDS)


def _declared(environ: Environ) -> int | None:
    """The length that a body declares; None for a chunked one. The server has checked that it is a number."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    return int(environ.get("CONTENT_LENGTH") or 0)


def _too_large(limit: int) -> ApiError:
    return ApiError("body_too_large", f"The body is larger than {limit} bytes.")
