"""Other workers on the same SQLite file: a second service, or another profile, that was given the same data folder.

A worker that was killed leaves a heartbeat that looks fresh for a while, and in a new container its process cannot be
looked for. So a worker counts only once its heartbeat has moved.
"""

import logging
from datetime import datetime

from app.store import Store

log = logging.getLogger(__name__)


class OtherWorkers:
    """Warns once of each other worker. On PostgreSQL there may be any number of them, and it looks at nothing."""

    def __init__(self, store: Store, kind: str, process: str) -> None:
        self._store = store
        self._kind = kind
        self._seen: dict[str, datetime] = {}
        self._known = {process}

    def look(self) -> None:
        """Warn of the workers that have beaten since an earlier look. Raise `StoreUnavailable`."""
        if self._store.kind != "sqlite":
            return
        beats = {worker.process: worker.at for worker in self._store.heartbeats.of_kind(self._kind)}
        moved = {process for process, at in beats.items() if self._seen.get(process, at) != at}
        self._seen = beats
        for process in sorted(moved - self._known):
            self._known.add(process)
            log.warning("worker.not_alone", extra={"worker": process, "reason": self._reason})

    @property
    def _reason(self) -> str:
        return (
            f"a worker of another service is alive on this database (see {self._store.source}); unless both have the"
            " same config, each delivers to its own destinations only"
        )
