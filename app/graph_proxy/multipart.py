"""Reads the parts of a multipart body so strictly that no other parser can find different ones.

Meta's parser is related to PHP's, and Python's libraries are lenient in other ways: about a line that ends with CR
alone, a boundary with a comma, a name in single quotes. No SDK sends what is refused here.
"""

import re
from enum import Enum, auto

MAX_PARTS = 100
MAX_HEADER_BYTES = 8 * 1024
BOUNDARY = r"[0-9A-Za-z_+.-]{1,70}"

_TEXT = r'"[^"\\\x00-\x1f\x7f]*"'
_DISPOSITION = re.compile(
    r'content-disposition: ?form-data; ?name=(?:"([^"\\\'\x00-\x1f\x7f]+)"|([\w.-]+))'
    rf"(?:; ?filename=(?:{_TEXT}|[\w.-]+))?(?:; ?filename\*=[\w-]+'[\w-]*'[\w!#$&+.^`|~%-]*)?",
    re.ASCII | re.IGNORECASE,
)
_OTHER_HEADER = re.compile(
    r"content-type: ?[^\x00-\x1f\x7f]+|content-length: ?[0-9]+|content-transfer-encoding: ?(?:binary|[78]bit)",
    re.ASCII | re.IGNORECASE,
)
_LINE = b"\r\n"


class Malformed(ValueError):
    """Another parser might read the body in a different way."""


class _State(Enum):
    FIRST = auto()
    HEADERS = auto()
    DATA = auto()
    END = auto()


class PartNames:
    """Finds the names of the parts of a body that arrives in pieces. It buffers at most the headers of one part."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"--" + boundary
        self._buffer = bytearray(_LINE)  # so that the first boundary follows a line end, too
        self._state = _State.FIRST
        self._parts = 0

    def feed(self, piece: bytes) -> list[str]:
        """Return the names of the parts whose headers end in this piece. Raises `Malformed`."""
        self._buffer += piece
        names: list[str] = []
        while True:
            match self._state:
                case _State.HEADERS if _LINE * 2 in self._buffer:
                    names.append(self._name())
                case _State.FIRST | _State.DATA if self._pass_boundary():
                    pass
                case state:
                    self._limit_buffer(state)
                    return names

    def finish(self) -> None:
        """Raise `Malformed` unless the body has ended right after its last boundary."""
        if self._state is not _State.END or self._buffer not in (b"", _LINE):
            raise Malformed

    def _name(self) -> str:
        headers, _, self._buffer = self._buffer.partition(_LINE * 2)
        self._state = _State.DATA
        self._parts += 1
        lines = headers.decode("latin-1").split("\r\n")
        found = [match for line in lines if (match := _DISPOSITION.fullmatch(line))]
        others = [line for line in lines if _OTHER_HEADER.fullmatch(line)]
        if len(found) != 1 or len(others) + 1 != len(lines) or self._parts > MAX_PARTS:
            raise Malformed
        return found[0][1] or found[0][2]

    def _pass_boundary(self) -> bool:
        """Move past the next boundary. Return False if it has not arrived as a whole."""
        at = self._buffer.find(self._delimiter)
        end = at + len(self._delimiter)
        if at < 0 or len(self._buffer) < end + 2:
            return False
        before, behind = self._buffer[:at], self._buffer[end : end + 2]
        if not before.endswith(_LINE) or (self._state is _State.FIRST and before not in (_LINE, _LINE * 2)):
            raise Malformed
        if behind not in (_LINE, b"--"):
            raise Malformed
        self._state = _State.HEADERS if behind == _LINE else _State.END
        del self._buffer[: end + 2]
        return True

    def _limit_buffer(self, state: _State) -> None:
        """Drop data that cannot belong to a boundary. Raise `Malformed` if too much of anything else is buffered."""
        if state is _State.DATA:
            at = self._buffer.find(self._delimiter)
            end = len(self._buffer) - len(self._delimiter) if at < 0 else at
            del self._buffer[: max(0, end - len(_LINE))]
        limits = {_State.HEADERS: MAX_HEADER_BYTES, _State.END: len(_LINE)}
        if len(self._buffer) > limits.get(state, len(self._delimiter) + 3 * len(_LINE)):
            raise Malformed
