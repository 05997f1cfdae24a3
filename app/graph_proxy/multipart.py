"""The parts of a multipart body, read so strictly that every other reader finds the same ones.

A library is lenient in other ways than PHP, which Graph is written in a relative of: about a line that ends with CR
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
_ANY_OTHER = re.compile(
    r"content-type: ?[^\x00-\x1f\x7f]+|content-length: ?[0-9]+|content-transfer-encoding: ?(?:binary|[78]bit)",
    re.ASCII | re.IGNORECASE,
)
_LINE = b"\r\n"


class Malformed(ValueError):
    """The body may be read in two ways."""


class _State(Enum):
    FIRST = auto()
    HEADERS = auto()
    DATA = auto()
    END = auto()


class PartNames:
    """Finds the names of the parts of a body that comes in pieces. It holds less than the headers of one."""

    def __init__(self, boundary: bytes) -> None:
        self._mark = b"--" + boundary
        self._held = bytearray(_LINE)  # as if a line stood before the first boundary, too
        self._state = _State.FIRST
        self._parts = 0

    def feed(self, piece: bytes) -> list[str]:
        """Return the names of the parts whose headers end in this piece. Raises `Malformed`."""
        self._held += piece
        names: list[str] = []
        while True:
            match self._state:
                case _State.HEADERS if _LINE * 2 in self._held:
                    names.append(self._name())
                case _State.FIRST | _State.DATA if self._is_behind_boundary():
                    pass
                case state:
                    self._check_rest(state)
                    return names

    def finish(self) -> None:
        """Raise `Malformed` unless the body has ended behind its last boundary."""
        if self._state is not _State.END or self._held not in (b"", _LINE):
            raise Malformed

    def _name(self) -> str:
        headers, _, self._held = self._held.partition(_LINE * 2)
        self._state = _State.DATA
        self._parts += 1
        lines = headers.decode("latin-1").split("\r\n")
        found = [match for line in lines if (match := _DISPOSITION.fullmatch(line))]
        others = [line for line in lines if _ANY_OTHER.fullmatch(line)]
        if len(found) != 1 or len(others) + 1 != len(lines) or self._parts > MAX_PARTS:
            raise Malformed
        return found[0][1] or found[0][2]

    def _is_behind_boundary(self) -> bool:
        """Go behind the next boundary, if all of it is here."""
        at = self._held.find(self._mark)
        end = at + len(self._mark)
        if at < 0 or len(self._held) < end + 2:
            return False
        before, behind = self._held[:at], self._held[end : end + 2]
        if not before.endswith(_LINE) or (self._state is _State.FIRST and before not in (_LINE, _LINE * 2)):
            raise Malformed
        if behind not in (_LINE, b"--"):
            raise Malformed
        self._state = _State.HEADERS if behind == _LINE else _State.END
        del self._held[: end + 2]
        return True

    def _check_rest(self, state: _State) -> None:
        """Drop data in which no boundary begins; of anything else there may be only so much."""
        if state is _State.DATA:
            at = self._held.find(self._mark)
            end = len(self._held) - len(self._mark) if at < 0 else at
            del self._held[: max(0, end - len(_LINE))]
        limits = {_State.HEADERS: MAX_HEADER_BYTES, _State.END: len(_LINE)}
        if len(self._held) > limits.get(state, len(self._mark) + 3 * len(_LINE)):
            raise Malformed
