"""The watch of a web process: it records refused webhooks, and logs alerts while no worker is alive to do that.

It runs in a greenlet of its own, so that no request waits for it.
"""

import logging
from collections.abc import Callable

import gevent

from app.domain.heartbeat import is_any_fresh
from app.gateway import Gateway
from app.health.alerts import OK
from app.health.watch import Watch
from app.store import StoreUnavailable

log = logging.getLogger(__name__)

WRITE_SECONDS = 2.0
WRITES_PER_LOOK = 8
LOOKS_WITHOUT_WORKER = 2
"""A worker that is started again, as with every deployment, is missing for a moment only: look twice."""

KIND = "worker"


class WebWatch:
    """The watch of one web process. `write_refused` records what was refused since its last call, if anything was."""

    def __init__(self, gateway: Gateway, write_refused: Callable[[], None]) -> None:
        self._store = gateway.store
        self._media_folder = gateway.media_folder if gateway.settings.media.fetch_on_arrival else None
        self._watch = Watch(gateway)
        self._write_refused = write_refused
        self._looks_without_worker = 0

    def start(self) -> None:
        """Watch for as long as the process lives."""
        gevent.spawn(self._watch_forever)

    def look(self) -> None:
        """Log what keeps the store from being ready, and see that the folder of media is the right one; while no
        worker is alive, do the worker's watch."""
        checks = self._store.checks()
        if checks["database"] != OK or checks["schema"] != OK:
            return
        try:
            if self._media_folder is not None:
                self._store.media_marks.look(self._media_folder)
            self._looks_without_worker = 0 if self._has_worker() else self._looks_without_worker + 1
            if self._looks_without_worker >= LOOKS_WITHOUT_WORKER:
                self._watch.look()
        except StoreUnavailable:  # it has just gone away; the next look logs it
            return

    def _has_worker(self) -> bool:
        return is_any_fresh(self._store.heartbeats.of_kind(KIND), self._store.clock.now())

    def _watch_forever(self) -> None:
        writes = 0
        while True:
            gevent.sleep(WRITE_SECONDS)
            self._write_refused()
            writes = (writes + 1) % WRITES_PER_LOOK
            if writes == 0:
                self._look_safely()

    def _look_safely(self) -> None:
        """Look. An error that is no outage is logged with its trace, and the watch goes on."""
        try:
            self.look()
        except Exception:
            log.exception("watch.failed")
