"""Make ids as Meta makes them. The same seed and the same order of calls give the same ids."""

import base64
import hashlib
import itertools
from collections.abc import Callable

OUTGOING, INCOMING = b"\x11\x18\x12", b"\x12\x18\x14"
TRACE_LENGTH = 23


def wamid(name: str, unique: str, *, marker: bytes) -> str:
    """Return the id of a message: `name` is the customer's digits (or other id), `unique` 18 or 20 hex digits.

    Read off Meta's own samples; it contains `/`, `+` and `=`.
    """
    encoded = name.encode()[:127]
    raw = b"\x1c\x18" + bytes([len(encoded)]) + encoded + b"\x15\x02\x00" + marker + unique.encode() + b"\x00"
    return "wamid." + base64.b64encode(raw).decode()


class Ids:
    """Ids of every kind. `next_number` counts, for each name, what was given out, and must not repeat itself."""

    def __init__(self, seed: str, next_number: Callable[[str], int]) -> None:
        self._seed = seed
        self._next_number = next_number
        self._traces = itertools.count(1)

    def sent(self, name: str) -> str:
        """Return the wamid of a message from the business."""
        return wamid(name, self._unique("wamid")[:18].upper(), marker=OUTGOING)

    def received(self, name: str) -> str:
        """Return the wamid of a message from a customer."""
        return wamid(name, self._unique("wamid")[:20].upper(), marker=INCOMING)

    def digits(self, kind: str, length: int = 16) -> str:
        """Return an id of decimal digits, as those of media, templates and numbers are."""
        number = int(self._unique(kind), 16) % (9 * 10 ** (length - 1))
        return str(10 ** (length - 1) + number)

    def opaque(self, kind: str) -> str:
        """Return an id of 43 characters that says nothing."""
        return base64.urlsafe_b64encode(bytes.fromhex(self._unique(kind))).decode().rstrip("=")

    def trace(self) -> str:
        """Return an `fbtrace_id`: 23 characters. It names an answer and is kept nowhere."""
        digest = self._digest(f"trace:{next(self._traces)}")
        return "A" + base64.urlsafe_b64encode(digest).decode()[: TRACE_LENGTH - 1]

    def _unique(self, kind: str) -> str:
        return self._digest(f"{kind}:{self._next_number(kind)}").hex()

    def _digest(self, name: str) -> bytes:
        return hashlib.sha256(f"{self._seed}:{name}".encode()).digest()


def marker_of(message_id: str) -> bytes | None:
    """Return which way a message went, read off its wamid; None if it is no wamid."""
    try:
        raw = base64.b64decode(message_id.removeprefix("wamid."), validate=True)
        end = 3 + raw[2]
    except (ValueError, IndexError):
        return None
    marker = raw[end + 3 : end + 6]
    return marker if message_id.startswith("wamid.") and marker in (OUTGOING, INCOMING) else None
