"""The body of a request that is passed on as it arrives: nothing of it is held, and it may be large.

How long a body may take depends on its size. Only the time spent waiting for the client counts: the receiver of
the pieces may be slow too.
"""

import time
from collections.abc import Iterator

import gevent

from app.web.body import BROKEN, BodyTimeout, declared_length, read_fairly
from app.web.errors import ApiError
from app.web.middleware import Environ

GRACE_SECONDS = 20.0
"""How long the client may be silent, and how long a body may take however small it is."""

MIN_BYTES_PER_SECOND = 64 * 1024
"""How fast a body has to be on average beyond that: 100 MB may take half an hour."""

LENGTH_NEEDED = (
    "Send the body with a Content-Length: Meta takes no file without one, and it is passed on as it comes."
)


def stream_body(environ: Environ, limit: int, grace_seconds: float = GRACE_SECONDS) -> Iterator[bytes]:
    """Return the pieces of the body. The declared length is checked at once, the rest while the pieces are taken.

    Raises `ApiError`: 411 without a Content-Length, 413 over the limit, 408 for a client that is silent or slow,
    400 for a body that is cut short.
    """
    declared = declared_length(environ)
    if declared is None or "CONTENT_LENGTH" not in environ:
        raise ApiError("length_required", LENGTH_NEEDED)
    if declared > limit:
        raise ApiError("body_too_large", f"The body is larger than {limit} bytes.")
    return _checked(environ, declared, grace_seconds)


def _checked(environ: Environ, declared: int, grace_seconds: float) -> Iterator[bytes]:
    received = 0
    try:
        for piece in _within_time(read_fairly(environ, declared), grace_seconds):
            received += len(piece)
            yield piece
    except BodyTimeout as timeout:
        slow = f"The body came too slowly: {received} of {declared} bytes, then nothing in time."
        raise ApiError("body_timeout", slow) from timeout
    except BROKEN as broken:
        raise ApiError("invalid_body", "The body is cut short or framed wrongly.") from broken
    if received != declared:
        raise ApiError("invalid_body", "The body is shorter than its Content-Length.")


def _within_time(pieces: Iterator[bytes], grace_seconds: float) -> Iterator[bytes]:
    """Yield the pieces; raise `BodyTimeout` when waiting for them has taken too long in all."""
    left = grace_seconds
    while True:
        started = time.monotonic()
        if left <= 0:
            raise BodyTimeout
        with gevent.Timeout(min(left, grace_seconds), BodyTimeout()):
            piece = next(pieces, b"")
        if not piece:
            return
        left += len(piece) / MIN_BYTES_PER_SECOND - (time.monotonic() - started)
        yield piece
