"""Limits on files that pass through a process: how many at a time, and how slowly a client may receive one.

A file is passed on piece by piece, and takes as long as the slower side. Without a limit slow clients would hold all
connections of the process.
"""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
from flask import current_app

from app.web.errors import ApiError
from app.web.streamed_body import MIN_BYTES_PER_SECOND

EXTENSION = "wats.transfers"
MAX_TRANSFERS = 64
"""A web process serves a thousand connections; most of them stay free for webhooks."""

SILENT_SECONDS = 30.0
GRACE_SECONDS = 60.0
BUSY = "Too many files are being passed on; try again in a few seconds."
TOO_LITTLE = "the client takes too little of the file"
RETRY_LATER = {"Retry-After": "5"}


class TransferBroken(ConnectionResetError):
    """A file cannot be sent to its end. gunicorn closes the connection, so that the client sees that it is cut."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.ECONNRESET, reason)


class Transfers:
    """The files that pass through this process, or other calls that take as long as the other side wants."""

    def __init__(self, limit: int = MAX_TRANSFERS, busy: str = BUSY) -> None:
        self._free = limit
        self._busy = busy

    def begin(self) -> Callable[[], None]:
        """Take a place, and return a function that gives it back, once. Raises `ApiError` (503) if none is free."""
        if not self._free:
            raise ApiError("busy", self._busy, headers=RETRY_LATER)
        self._free -= 1
        is_over = False

        def end() -> None:
            nonlocal is_over
            self._free += not is_over
            is_over = True

        return end

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place while the block runs."""
        end = self.begin()
        try:
            yield
        finally:
            end()


def transfers() -> Transfers:
    """Return the transfers of this process."""
    of_process: Transfers = current_app.extensions[EXTENSION]
    return of_process


def sent_in_time(
    pieces: Iterator[bytes], silent_seconds: float = SILENT_SECONDS, grace_seconds: float = GRACE_SECONDS
) -> Iterator[bytes]:
    """Yield the pieces to the server; raise `TransferBroken` where the client takes none, or too few, in time."""
    left = grace_seconds
    for piece in pieces:
        started = time.monotonic()
        with gevent.Timeout(min(left, silent_seconds), TransferBroken(TOO_LITTLE)):
            yield piece
        left += len(piece) / MIN_BYTES_PER_SECOND - (time.monotonic() - started)
        if left <= 0:
            raise TransferBroken(TOO_LITTLE)
