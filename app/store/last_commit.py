"""When a process last committed receipts: proof for `/readyz` that it can write."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.store.outage import Outage


class LastCommit:
    """When this process last committed receipts durably. A failed commit ends the proof."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._at = float("-inf")
        self.has_failed = False

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record whether the commit inside succeeds or fails."""
        try:
            yield
        except Exception:
            self._at, self.has_failed = float("-inf"), True
            raise
        self._at, self.has_failed = time.monotonic(), False
        self._outage.over()

    def is_within(self, seconds: float) -> bool:
        """Return whether the last commit succeeded within this many seconds."""
        return time.monotonic() - self._at < seconds
