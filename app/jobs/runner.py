"""The worker: one process of background work. It serves its queues, gives signs of life, and stops in order.

It works only while the schema fits its code: one that is a version behind or ahead does no harm.
"""

import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import gevent
from gevent.event import Event

from app.domain import VERSION
from app.domain.heartbeat import BEAT_EVERY, Heartbeat
from app.domain.job_result import JobResult
from app.jobs.dispatcher import POLL_SECONDS, Dispatcher
from app.jobs.executor import Executor, Failpoint
from app.jobs.leases import Leases
from app.jobs.queue import Queue
from app.store import GroupCommit, Store, StoreUnavailable

log = logging.getLogger(__name__)

KIND = "worker"
WAITING_SECONDS = 1.0
LAST_SECONDS = 2.0
"""What is left of the grace for handing leases back."""


class JobRunner:
    """Serves queues until told to stop. `slots`: how many jobs of each queue it handles at a time, at best."""

    def __init__(
        self,
        store: Store,
        queues: Sequence[Queue],
        *,
        clock: Callable[[], datetime],
        lease: timedelta,
        slots: int,
        on_failpoint: Failpoint,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._queues = queues
        self._leases = Leases(store, lease)
        self._settlements: GroupCommit[JobResult, bool] = GroupCommit(store.jobs.settle_batch)
        executor = Executor(self._leases, self._settlements, on_failpoint)
        self._fits = False
        self._dispatchers = [
            Dispatcher(
                queue,
                store=store,
                leases=self._leases,
                executor=executor,
                slots=slots,
                may_work=lambda: self._fits,
                poll_seconds=poll_seconds,
            )
            for queue in queues
        ]

    def run(self, stop: Event, *, grace_seconds: float) -> bool:
        """Work until told to stop. A store that is away or without its schema is waited for.

        False if it stopped because a part of it broke: whoever started this process starts another.
        """
        process, started_at = f"{socket.gethostname()}:{os.getpid()}", self._clock()
        log.info("worker.started", extra={"worker": process})
        helping: list[gevent.Greenlet[..., None]] = [
            gevent.spawn(self._beat_for_ever, process, started_at),
            gevent.spawn(self._listen_for_ever),
            gevent.spawn(self._leases.renew_for_ever),
        ]
        dispatching: list[gevent.Greenlet[..., None]] = [gevent.spawn(each.run) for each in self._dispatchers]
        for part in (*helping, *dispatching):
            part.link_exception(lambda _: stop.set())
        stop.wait()
        self._finish(dispatching, grace_seconds)
        gevent.killall(helping)
        self._take_leave(process)
        log.info("worker.stopped", extra={"worker": process})
        return not any(isinstance(part.exception, Exception) for part in (*helping, *dispatching))

    def _finish(self, dispatching: "Sequence[gevent.Greenlet[..., None]]", grace_seconds: float) -> None:
        """Let what is in flight end; what does not end in time is handed back, and tried again by somebody else."""
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        with suppress(gevent.Timeout), gevent.Timeout(max(0.1, grace_seconds - LAST_SECONDS)):
            gevent.joinall(dispatching)
            for dispatcher in self._dispatchers:
                dispatcher.join()
        for dispatcher in self._dispatchers:
            dispatcher.kill()
        self._settlements.close()
        try:
            self._leases.hand_back_all()
        except StoreUnavailable as error:
            log.warning("worker.leases_left_behind", extra={"reason": str(error)})

    def _beat_for_ever(self, process: str, started_at: datetime) -> None:
        """Give signs of life, and look whether the schema still fits."""
        named = False
        while True:
            try:
                self._fits = self._store.schema_status().compatible
                if self._fits and not named:
                    self._store.queues.ensure([queue.name for queue in self._queues])
                    named = True
                    self._wake_all()
                self._store.heartbeats.beat(Heartbeat(process, KIND, VERSION, started_at, self._clock()))
            except StoreUnavailable as error:
                log.warning("worker.waiting_for_store", extra={"reason": str(error)})
            gevent.sleep(BEAT_EVERY.total_seconds() if self._fits else WAITING_SECONDS)

    def _listen_for_ever(self) -> None:
        listener = self._store.notifier.listen("work")
        while True:
            if listener.wait(BEAT_EVERY.total_seconds()):
                for dispatcher in self._dispatchers:
                    dispatcher.notify()

    def _wake_all(self) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.wake()

    def _take_leave(self, process: str) -> None:
        try:
            self._store.heartbeats.delete(process)
        except StoreUnavailable as error:
            log.warning("worker.heartbeat_left_behind", extra={"reason": str(error)})


def is_anybody_working(store: Store, now: datetime) -> bool:
    """Tells whether some worker has lately given a sign of life."""
    return any(beat.is_fresh(now) for beat in store.heartbeats.latest(KIND))
