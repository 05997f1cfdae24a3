"""Calls of the fake to the gateway: each thread keeps its connection, as Meta's webhook senders do."""

import http.client
import threading
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit, urlunsplit

TIMEOUT_SECONDS = 30.0
MAX_READ_BYTES = 64 * 1024
FAILURES = (OSError, http.client.HTTPException)

Reply = tuple[int | None, bytes]
"""Status and body; no status if there was no answer."""


class Connections:
    """HTTP connections, one for each thread and host."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def call(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Call, and return what was answered. A kept connection that the other side has closed is made anew."""
        parts = urlsplit(url)
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection, is_kept = self._connection(parts)
        for may_be_closed in (True, False) if is_kept else (False,):
            try:
                connection.request(method, target, body, dict(headers))
                answer = connection.getresponse()
                return answer.status, answer.read(MAX_READ_BYTES)
            except FAILURES as failure:
                connection.close()
                if not (may_be_closed and isinstance(failure, ConnectionError)):
                    return None, b""
        return None, b""

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._open:
            connection.close()

    def _connection(self, parts: SplitResult) -> tuple[http.client.HTTPConnection, bool]:
        kept: dict[str, http.client.HTTPConnection] = self._local.__dict__.setdefault("kept", {})
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in kept:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            kept[origin] = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
            self._open.append(kept[origin])
        return kept[origin], kept[origin].sock is not None
