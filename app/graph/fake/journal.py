"""The memory of every request that the fake was sent, for assertions."""

import base64
import threading
from typing import Any

from app.graph.fake.wire import Call

MAX_BODY_BYTES = 256 * 1024


class Journal:
    """Requests in the order in which they came."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def add(self, call: Call, at: float) -> None:
        """Remember a request."""
        entry = {
            "at": at,
            "method": call.method,
            "path": call.path,
            "version": call.version,
            "query": dict(call.query),
            "headers": dict(call.headers),
            **_body(call.body[:MAX_BODY_BYTES]),
        }
        with self._lock:
            self._entries.append(entry)

    def entries(self, path: str | None = None) -> list[dict[str, Any]]:
        """Return the requests, or those whose path ends so."""
        with self._lock:
            return [entry for entry in self._entries if path is None or entry["path"].endswith(path)]

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._entries.clear()


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
