"""Reading a destination's response: a limited number of bytes, whatever its headers claim."""

import http.client
import io
import socket
from typing import Any

MAX_BYTES = 64 * 1024
PIECE_BYTES = 8 * 1024
KEPT_BYTES = 1024
"""The most that is kept of the body of an answer that refuses an event."""

_INTERIM = range(102, 200)


class ResponseTooLarge(OSError):
    """The response is longer than what is read of one."""


class BoundedResponse(http.client.HTTPResponse):
    """A response of which at most 64 KiB are read: status lines, headers, chunk sizes and body together.

    A flood that arrives as fast as it is read never lets another greenlet run, so that no time-out would end it.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach()))

    def begin(self) -> None:
        """Read status and headers. Raise for lengths that differ: such a response is invalid (RFC 9112, 6.3)."""
        super().begin()
        headers = self.headers.get_all("Content-Length", ())
        lengths = {length.strip() for header in headers for length in header.split(",")}
        if len(lengths) > 1 and not self.chunked:
            raise http.client.HTTPException("different lengths")

    def _read_status(self) -> tuple[str, int, str]:
        """Return the next status line; of an interim response as 100, which the library skips.

        It takes every other one, such as an early hint (103), for the response.
        """
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, http.HTTPStatus.CONTINUE if status in _INTERIM else status, reason


class _BoundedReader(io.RawIOBase):
    """A socket's bytes, up to the limit."""

    def __init__(self, source: io.RawIOBase) -> None:
        self._source = source
        self._remaining = MAX_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self._remaining:
            raise ResponseTooLarge
        count: int | None = self._source.readinto(memoryview(buffer)[: self._remaining])
        self._remaining -= count or 0
        return count

    def close(self) -> None:
        super().close()
        self._source.close()


def drain(response: http.client.HTTPResponse, kept: bytearray) -> None:
    """Read the rest of the body, so that the connection can be kept; its first `KEPT_BYTES` go into `kept`.

    It is read in pieces: for one read of a whole body Python allocates the length that the destination claims.
    """
    while piece := response.read(PIECE_BYTES):
        if len(kept) < KEPT_BYTES:
            kept += piece[: KEPT_BYTES - len(kept)]
