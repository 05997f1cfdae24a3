"""Whether this process can serve requests. It does not depend on Meta, the worker or destinations."""

import threading
import time
from collections.abc import Mapping

from app.domain.heartbeat import FRESH_FOR
from app.health.alerts import OK
from app.startup import draining
from app.store import Store

CACHE_SECONDS = 1.0


class Readiness:
    """Checks readiness. It asks the store at most once a second, however many probes come."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._checks: Mapping[str, str] = {}
        self._until = 0.0
        self._failed_at = float("-inf")

    def checks(self) -> dict[str, str]:
        """Return every check with `ok`, or with what is wrong."""
        return {**self._store_checks(), "draining": "this process is stopping" if draining.has_begun() else OK}

    @property
    def store_failed_recently(self) -> bool:
        """Whether the store failed within the last seconds. A live worker may not have sent a heartbeat since."""
        return time.monotonic() - self._failed_at < FRESH_FOR.total_seconds()

    def _store_checks(self) -> Mapping[str, str]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._checks = self._store.checks()
                if self._checks["database"] != OK:
                    self._failed_at = time.monotonic()
                self._until = time.monotonic() + CACHE_SECONDS
            return self._checks
