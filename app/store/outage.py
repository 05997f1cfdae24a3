"""An outage of the database in the log of a process: a line when it begins, one a minute, and one when it ends."""

import logging
from collections.abc import Callable
from time import monotonic

from app.log import Throttle
from app.store.engine.errors import StoreError

log = logging.getLogger(__name__)


class Outage:
    """Logs an outage once, however many requests and jobs meet it. `explain` makes the reason of an error."""

    def __init__(self, explain: Callable[[StoreError], str]) -> None:
        self._explain = explain
        self._throttle = Throttle()
        self._began: float | None = None

    def met(
        self,
        error: StoreError,
        *,
        request_id: str | None = None,
        trace_id: str | None = None,
        queue: str | None = None,
        job_id: int | None = None,
    ) -> None:
        """Note that the store could not do something, and which request or job has met it."""
        reason = self._explain(error)
        repeats = self._throttle.repeats(reason)
        if repeats is not None:
            self._began = self._began or monotonic()
            met_by = {"request_id": request_id, "trace_id": trace_id, "queue": queue, "job_id": job_id}
            log.warning("store.unavailable", extra={**met_by, "reason": reason, "repeats": repeats or None})

    def over(self) -> None:
        """Note that the store has worked. Most of the time this costs nothing."""
        if self._began is not None:
            seconds, self._began = monotonic() - self._began, None
            log.info("store.available", extra={"seconds": round(seconds, 1)})
