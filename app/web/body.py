"""The raw body of a request: exactly the bytes that arrived, limited in size, time and memory.

Werkzeug's own limit cuts a chunked body short without an error, so the bytes are counted here.
"""

import time
from collections.abc import Iterator
from typing import Protocol

import gevent
from gunicorn.http.errors import ParseException

from app.web.body_budget import BodyBudget, BodyGivenUp, Share
from app.web.errors import RETRY, ApiError
from app.web.middleware import IS_ERROR, Environ

MIN_PIECE_BYTES = 64
MAX_PIECE_BYTES = 64 * 1024
FAST_READ_SECONDS = 0.0005
SLOW_READ_PAUSE_SECONDS = 0.01
MAX_BODY_SECONDS = 20.0
MAX_DISCARD_BYTES = 16 * 1024 * 1024
MAX_DISCARD_SECONDS = 2.0
TOO_LONG = "The body took too long while there was no room for others; send it again, and faster."
BROKEN = (OSError, ParseException)
"""The exceptions of reading a body that is cut short or framed wrongly."""


class Stream(Protocol):
    """The `wsgi.input` of a WSGI environment."""

    def read(self, size: int, /) -> bytes: ...


class BodyTimeout(Exception):
    """The body did not arrive in time. (gevent's own `Timeout` is no `Exception`: most `except` clauses miss it.)"""


def refuse_declared_over(environ: Environ, limit: int, cure: str = "") -> None:
    """Raise `ApiError` (413) for a body whose Content-Length is over the limit, before a byte of it is read.

    `cure`: what the client does instead; it continues the sentence that names the limit.
    """
    declared = declared_length(environ)
    if declared is not None and declared > limit:
        raise _too_large(limit, cure)


def read_body(
    environ: Environ, budget: BodyBudget, *, limit: int, seconds: float = MAX_BODY_SECONDS, cure: str = ""
) -> bytes:
    """Return the whole body, sent with a Content-Length or chunked.

    Raises `ApiError`: 413 over the limit, 408 after this many seconds or when it is given up to make room for others,
    400 for one that is cut short or framed wrongly.
    """
    share = budget.begin(environ)
    try:
        with gevent.Timeout(seconds, BodyTimeout()):
            body = b"".join(_pieces(environ, budget, share, limit, cure))
    except BodyGivenUp as given_up:
        raise ApiError("body_timeout", TOO_LONG, headers=RETRY) from given_up
    except BodyTimeout as timeout:
        raise ApiError("body_timeout", f"The body did not arrive within {seconds:g} seconds.") from timeout
    except BROKEN as broken:
        raise ApiError("invalid_body", "The body is cut short or framed wrongly.") from broken
    finally:
        budget.end(share)
    declared = declared_length(environ)
    if declared is not None and len(body) != declared:
        raise ApiError("invalid_body", "The body is shorter than its Content-Length.")
    return body


def finish_body(budget: BodyBudget, environ: Environ) -> bool:
    """Give back the share of an answered request. Return False if its connection must be closed."""
    is_given_up = budget.release(environ)
    is_clean = not environ.get(IS_ERROR) or discard_rest(environ)
    return is_clean and not is_given_up  # its body broke off: where the next request begins is unknown


def discard_rest(environ: Environ) -> bool:
    """Read and drop what a refused client still sends, so that it gets to read the response.

    Return False when it sends more, or for longer, than is allowed. gunicorn would go on reading for seconds, and
    would not yield to other greenlets while bytes keep coming.
    """
    if "HTTP_TRANSFER_ENCODING" not in environ and not environ.get("CONTENT_LENGTH"):
        return True
    try:
        with gevent.Timeout(MAX_DISCARD_SECONDS, BodyTimeout()):
            return sum(len(piece) for piece in read_fairly(environ, MAX_DISCARD_BYTES)) < MAX_DISCARD_BYTES
    except (BodyTimeout, *BROKEN):
        return False


def _pieces(environ: Environ, budget: BodyBudget, share: Share, limit: int, cure: str) -> Iterator[bytes]:
    """Yield the body. Read one byte beyond the limit, to detect a body that is larger."""
    declared, read = declared_length(environ), 0
    for piece in read_fairly(environ, limit + 1 if declared is None else min(declared, limit + 1)):
        budget.take(share, len(piece))
        yield piece
        read += len(piece)
    if read > limit:
        raise _too_large(limit, cure)


def read_fairly(environ: Environ, max_bytes: int) -> Iterator[bytes]:
    """Yield at most this many bytes in pieces, and yield to other greenlets after each full piece.

    A socket that always has more data would otherwise never switch. Pieces grow while reads are fast. A slow read is
    followed by a pause: a chunked body may come in chunks of one byte, and each costs as much CPU as a large one.
    """
    stream: Stream = environ["wsgi.input"]
    size = MIN_PIECE_BYTES if "HTTP_TRANSFER_ENCODING" in environ else MAX_PIECE_BYTES
    while max_bytes:
        started = time.perf_counter()
        piece = stream.read(min(size, max_bytes))
        if not piece:
            return
        yield piece
        max_bytes -= len(piece)
        if len(piece) == size:
            fast = time.perf_counter() - started < FAST_READ_SECONDS
            size = min(size * 2, MAX_PIECE_BYTES) if fast else max(size // 2, MIN_PIECE_BYTES)
            gevent.sleep(0 if fast else SLOW_READ_PAUSE_SECONDS)


def declared_length(environ: Environ) -> int | None:
    """Return the Content-Length, None for a chunked body. gunicorn has checked that it is a number."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    return int(environ.get("CONTENT_LENGTH") or 0)


def _too_large(limit: int, cure: str) -> ApiError:
    return ApiError("body_too_large", f"The body is larger than {limit} bytes{cure and f'; {cure}'}.")
