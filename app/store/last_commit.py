"""The last commit of this process: the best proof that it can make one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class LastCommit:
    """When this process last made something durable: the best proof that it still can, until it fails to."""

    def __init__(self) -> None:
        self._at = float("-inf")

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Around what makes something durable, or fails to."""
        try:
            yield
        except Exception:
            self._at = float("-inf")
            raise
        self._at = time.monotonic()

    def is_within(self, seconds: float) -> bool:
        """Tells whether it did within so many seconds."""
        return time.monotonic() - self._at < seconds
