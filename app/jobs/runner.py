"""The job runner: all that one worker process does. It serves the queues, sends heartbeats, and stops in order.

It works only while the database's schema is compatible with its code: a worker of another version does no harm.
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
from app.jobs.clock_watch import ClockWatch
from app.jobs.dispatcher import POLL_SECONDS, Dispatcher
from app.jobs.executor import Executor, Failpoint
from app.jobs.leases import Leases
from app.jobs.queue import Queue
from app.log import Throttle
from app.store import GroupCommit, Store, StoreUnavailable

log = logging.getLogger(__name__)

KIND = "worker"
SCHEMA_RETRY_SECONDS = 1.0
HAND_BACK_SECONDS = 2.0
"""The end of the grace period, kept for handing leases back."""


def ignore() -> None:
    """Tell nobody: not every worker has a health check."""


class JobRunner:
    """Serves queues until it is stopped. `slots`: how many jobs of each queue it handles at a time, at most."""

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
        self._clock_watch = ClockWatch(store, [queue.name for queue in queues], lease)
        self._settlements: GroupCommit[JobResult, bool] = GroupCommit(store.jobs.settle_batch)
        executor = Executor(self._leases, self._settlements, on_failpoint)
        self._is_compatible = False
        self._dispatchers = [
            Dispatcher(
                queue,
                store=store,
                leases=self._leases,
                executor=executor,
                slots=slots,
                may_work=lambda: self._is_compatible,
                poll_seconds=poll_seconds,
            )
            for queue in queues
        ]

    def run(self, stop: Event, *, grace_seconds: float, on_beat: Callable[[], None] = ignore) -> bool:
        """Work until `stop` is set. Wait for a store that is unavailable, or whose schema is not compatible yet.

        `on_beat` is called after each heartbeat that the database has.
        Return False if one of its greenlets failed: the process must end, and its supervisor starts another.
        """
        process, started_at = f"{socket.gethostname()}:{os.getpid()}", self._clock()
        log.info("worker.started", extra={"worker": process})
        helpers: list[gevent.Greenlet[..., None]] = [
            gevent.spawn(self._beat_forever, process, started_at, on_beat),
            gevent.spawn(self._listen_forever),
            gevent.spawn(self._leases.renew_forever),
            gevent.spawn(self._clock_watch.look_until, stop, lambda: self._is_compatible),
        ]
        dispatching: list[gevent.Greenlet[..., None]] = [
            gevent.spawn(dispatcher.run) for dispatcher in self._dispatchers
        ]
        for greenlet in (*helpers, *dispatching):
            greenlet.link_exception(lambda _: stop.set())
        stop.wait()
        self._finish(dispatching, grace_seconds)
        gevent.killall(helpers)
        self._delete_heartbeat(process)
        log.info("worker.stopped", extra={"worker": process})
        return not any(isinstance(greenlet.exception, Exception) for greenlet in (*helpers, *dispatching))

    def _finish(self, dispatching: "Sequence[gevent.Greenlet[..., None]]", grace_seconds: float) -> None:
        """Let the jobs in flight finish. Hand back those that do not in time: another worker attempts them."""
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        with suppress(gevent.Timeout), gevent.Timeout(max(0.1, grace_seconds - HAND_BACK_SECONDS)):
            gevent.joinall(dispatching)
            for dispatcher in self._dispatchers:
                dispatcher.join()
        for dispatcher in self._dispatchers:
            dispatcher.kill()
        self._settlements.close()
        try:
            self._leases.hand_back_all()
        except StoreUnavailable as error:
            log.warning("worker.leases_not_returned", extra={"reason": str(error)})

    def _beat_forever(self, process: str, started_at: datetime, on_beat: Callable[[], None]) -> None:
        """Record heartbeats, and check whether the schema is compatible. Create the queues once it is."""
        has_queues, waiting = False, Throttle()
        while True:
            try:
                self._is_compatible = self._store.schema_status().compatible
                if self._is_compatible and not has_queues:
                    self._store.queues.ensure([queue.name for queue in self._queues])
                    has_queues = True
                    for dispatcher in self._dispatchers:
                        dispatcher.wake()
                self._store.heartbeats.beat(Heartbeat(process, KIND, VERSION, started_at, self._clock()))
                on_beat()
            except StoreUnavailable as error:
                repeats = waiting.repeats(str(error))
                if repeats is not None:
                    log.warning("worker.waiting_for_store", extra={"reason": str(error), "repeats": repeats or None})
            gevent.sleep(BEAT_EVERY.total_seconds() if self._is_compatible else SCHEMA_RETRY_SECONDS)

    def _listen_forever(self) -> None:
        listener = self._store.notifier.listen("work")
        while True:
            if listener.wait(BEAT_EVERY.total_seconds()):
                for dispatcher in self._dispatchers:
                    dispatcher.notify()

    def _delete_heartbeat(self, process: str) -> None:
        try:
            self._store.heartbeats.delete(process)
        except StoreUnavailable as error:
            log.warning("worker.heartbeat_not_removed", extra={"reason": str(error)})


def is_worker_alive(store: Store, now: datetime) -> bool:
    """Return whether some worker has a fresh heartbeat."""
    return any(heartbeat.is_fresh(now) for heartbeat in store.heartbeats.of_kind(KIND))
