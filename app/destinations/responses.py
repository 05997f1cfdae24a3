"""Reading a destination's answer: so many bytes of it and no more, whatever its headers claim."""

import http.client
import io
import socket
from typing import Any

from requests import Response

MAX_BYTES = 64 * 1024
PIECE = 8 * 1024

_INTERIM = range(102, 200)


class AnswerTooLarge(OSError):
    """The answer goes on after all that is read of one."""


class BoundedAnswer(http.client.HTTPResponse):
    """An answer of which 64 KiB are read at most: status lines, header sections, chunk sizes and body together.

    A flood that comes as fast as it is read never lets another greenlet run, so that no time-out would end it.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach()))

    def _read_status(self) -> tuple[str, int, str]:
        """The next status line. The library takes an early hint (103) for the answer; 100 is what it skips."""
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, http.HTTPStatus.CONTINUE if status in _INTERIM else status, reason


class _Bounded(io.RawIOBase):
    """A socket's bytes until there were too many."""

    def __init__(self, source: io.RawIOBase) -> None:
        self._source = source
        self._left = MAX_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self._left:
            raise AnswerTooLarge
        count: int | None = self._source.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        super().close()
        self._source.close()


def drain(answer: Response) -> None:
    """Read the rest, as it came and undecoded, so that the connection can be kept."""
    while answer.raw.read(PIECE, decode_content=False):
        pass
