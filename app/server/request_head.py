"""The head of a request, as gunicorn parses it: bounded as a whole, and refused with what is known of it."""

from http import HTTPMethod
from typing import Any

import gevent
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

MAX_LINE_BYTES = 4094
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 * 1024
"""The limit for one header: a proxy may pass on its client's certificate in one."""

MAX_HEADERS_BYTES = 64 * 1024
HEAD_SECONDS = 5
UNDERSCORED = {"FILE_OFFSET": "FILE-OFFSET"}


class HeadTimeout(Exception):
    """A head that has begun did not end in time."""


class RefusedRequest(Exception):
    """A request that cannot be parsed. `method` and `path` are empty as far as they are unknown."""

    def __init__(self, reason: Exception, method: str, path: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.method = method
        self.path = path


class BoundedRequest(Request):  # type: ignore[misc]  # gunicorn has no types
    """A request whose headers are limited in all: parsing costs the square of their size.

    gunicorn itself limits only their number and the size of each. Raises `RefusedRequest`. A connection that is idle
    ends as gunicorn ends it, without an answer.
    """

    _received: bytes | bytearray = b""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        try:
            super().__init__(*arguments, **options)
        except (ParseException, HeadTimeout) as reason:
            raise RefusedRequest(reason, *self._method_and_path()) from reason

    def parse(self, unreader: Any) -> Any:
        """Parse the head, with the deadline that gunicorn has set for it."""
        self.max_buffer_headers: int = min(self.max_buffer_headers, MAX_HEADERS_BYTES)
        try:
            return super().parse(unreader)
        except gevent.Timeout as timeout:
            if not self._received and self.method is None:
                raise
            raise HeadTimeout from timeout

    def _apply_header_policy(self, name: str, *of_request: Any, **options: Any) -> Any:
        """Keep one header with an underscore, which gunicorn would drop: that of Meta's resumable uploads."""
        return super()._apply_header_policy(UNDERSCORED.get(name, name), *of_request, **options)

    def read_into(self, unreader: Any, buf: bytearray, stop: bool = False) -> None:
        """Read more of the head into the buffer, and keep the buffer: it holds what has come."""
        self._received = buf
        super().read_into(unreader, buf, stop)

    def _method_and_path(self) -> tuple[str, str]:
        """Return both, also of a request line that is too long or not complete. A method that is no word is ''."""
        if self.path is not None:
            method, path = self.method, self.path
        else:
            line = bytes(self._received[:MAX_LINE_BYTES]).decode("latin-1").partition("\r\n")[0]
            method, _, target = line.partition(" ")
            path = target.partition(" ")[0].partition("?")[0]
        return (method if method in HTTPMethod.__members__ else ""), path


def install() -> None:
    """Make gunicorn parse requests as `BoundedRequest`; it has no setting for it."""
    RequestParser.mesg_class = BoundedRequest
