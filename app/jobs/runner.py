"""The job runner: all that one worker process does. It serves the queues, sends heartbeats, and stops in order.

It works only while the database's schema is compatible with its code: a worker of another version does no harm.
"""

import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeAlias

import gevent
from gevent.event import Event

from app.domain import VERSION
from app.domain.heartbeat import BEAT_EVERY, Heartbeat, is_any_fresh
from app.domain.job_result import JobResult
from app.jobs.clock_watch import ClockWatch
from app.jobs.commit_listener import CommitListener
from app.jobs.dispatcher import POLL_SECONDS, Dispatcher
from app.jobs.executor import Executor, Failpoint
from app.jobs.leases import Leases
from app.jobs.loop_deadline import LoopDeadline
from app.jobs.other_workers import OtherWorkers
from app.jobs.queue import Queue
from app.store import GroupCommit, Store, StoreError

log = logging.getLogger(__name__)

KIND = "worker"
SCHEMA_RETRY_SECONDS = 1.0
LOOK_SECONDS = 1.0
HAND_BACK_SECONDS = 2.0
"""The end of the grace period, kept for handing leases back."""

KILL_SECONDS = 0.5
"""How long to wait for greenlets that are killed."""

Callback = Callable[[], None]
Greenlets: TypeAlias = "Sequence[gevent.Greenlet[..., None]]"


def ignore() -> None:
    """Report to no supervisor: not every worker has one."""


class JobRunner:
    """Serves queues until it is stopped. `slots`: how many jobs of each queue it handles at a time, at most."""

    def __init__(
        self,
        store: Store,
        queues: Sequence[Queue],
        *,
        clock: Callable[[], datetime],
        leases: Leases,
        slots: int,
        on_failpoint: Failpoint,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._queues = queues
        self._leases = leases
        self._clock_watch = ClockWatch(store, [queue.name for queue in queues], leases.length)
        self._settlements: GroupCommit[JobResult, bool] = GroupCommit(store.jobs.settle_batch)
        self._is_compatible = self._hangs = False
        self._beating = LoopDeadline("heartbeat")
        make_dispatcher = partial(
            Dispatcher,
            store=store,
            leases=leases,
            executor=Executor(store, leases, self._settlements, on_failpoint),
            slots=slots,
            may_work=lambda: self._is_compatible,
            poll_seconds=poll_seconds,
        )
        self._dispatchers = [make_dispatcher(queue) for queue in queues]
        self._commits = CommitListener(store, self._dispatchers, lambda: self._is_compatible)

    def run(
        self, stop: Event, *, grace_seconds: float, on_progress: Callback = ignore, on_stop: Callback = ignore
    ) -> bool:
        """Work until `stop` is set. Wait for a store that is unavailable, or whose schema is not compatible yet.

        `on_progress` is called every second while no loop is overdue, `on_stop` once, when the stop begins. Return
        False if a greenlet failed or a loop hung: the process must end, and its supervisor starts another.
        """
        process = f"{socket.gethostname()}:{os.getpid()}"
        log.info("worker.started", extra={"worker": process})
        on_progress()
        finished = Event()
        dispatching: Greenlets = [gevent.spawn(dispatcher.run) for dispatcher in self._dispatchers]
        greenlets: Greenlets = [*self._spawn_helpers(stop, finished, process, on_progress), *dispatching]
        for greenlet in greenlets:
            greenlet.link_exception(lambda _: stop.set())
        stop.wait()
        on_stop()
        self._finish(dispatching, max(0.1, grace_seconds - HAND_BACK_SECONDS))
        finished.set()
        with suppress(gevent.Timeout), gevent.Timeout(HAND_BACK_SECONDS):
            self._abandon(greenlets)
            self._hand_back(process)
        log.info("worker.stopped", extra={"worker": process})
        return not self._hangs and not any(isinstance(greenlet.exception, Exception) for greenlet in greenlets)

    def _spawn_helpers(self, stop: Event, finished: Event, process: str, on_progress: Callback) -> Greenlets:
        """Start the greenlets that serve no queue. Leases are renewed until the stop is `finished`."""
        return [
            gevent.spawn(self._beat_until, stop, process, self._clock()),
            gevent.spawn(self._commits.listen_until, stop),
            gevent.spawn(self._watch_loops_until, stop, on_progress),
            gevent.spawn(self._clock_watch.look_until, stop, lambda: self._is_compatible),
            gevent.spawn(self._leases.renew_until, finished),
        ]

    def _finish(self, dispatching: Greenlets, seconds: float) -> None:
        """Claim nothing more, and let the jobs in flight finish."""
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        with suppress(gevent.Timeout), gevent.Timeout(seconds):
            gevent.joinall(dispatching)
            for dispatcher in self._dispatchers:
                dispatcher.join()

    def _abandon(self, greenlets: Greenlets) -> None:
        """End the jobs in flight and these greenlets. Wait half a second only: a greenlet may survive."""
        for dispatcher in self._dispatchers:
            dispatcher.kill()
        gevent.killall(list(greenlets), block=False)
        with suppress(gevent.Timeout), gevent.Timeout(KILL_SECONDS):
            gevent.joinall(greenlets)
            for dispatcher in self._dispatchers:
                dispatcher.join()
        self._settlements.close()

    def _hand_back(self, process: str) -> None:
        """Hand back the jobs that did not finish, so that another worker attempts them at once."""
        try:
            self._leases.hand_back_all()
        except StoreError as error:
            log.warning("worker.leases_not_returned", extra={"reason": self._store.explain(error)})
        self._delete_heartbeat(process)

    def _watch_loops_until(self, stop: Event, on_progress: Callback) -> None:
        """Report progress while no loop is overdue. If one hangs, stop the worker."""
        deadlines = [
            self._leases.loop_deadline,
            self._beating,
            self._commits.loop_deadline,
            *(each.loop_deadline for each in self._dispatchers),
        ]
        while not stop.wait(LOOK_SECONDS):
            if hanging := [each.name for each in deadlines if each.is_overdue]:
                log.error("worker.loop_hangs", extra={"reason": ", ".join(hanging)})
                self._hangs = True
                stop.set()
            else:
                on_progress()

    def _beat_until(self, stop: Event, process: str, started_at: datetime) -> None:
        """Record heartbeats, and look at those of others. Check whether the schema is compatible, and create the
        queues once it is."""
        has_queues, others = False, OtherWorkers(self._store, KIND, process)
        while not stop.is_set():
            try:
                self._is_compatible = self._store.schema_status().compatible
                if self._is_compatible and not has_queues:
                    self._store.queues.ensure([queue.name for queue in self._queues])
                    has_queues = True
                    for dispatcher in self._dispatchers:
                        dispatcher.wake()
                self._beat(Heartbeat(process, KIND, VERSION, started_at, self._clock()))
                others.look()
            except StoreError as error:
                self._store.outage.met(error)
            rest_seconds = BEAT_EVERY.total_seconds() if self._is_compatible else SCHEMA_RETRY_SECONDS
            self._beating.extend(rest_seconds)
            stop.wait(rest_seconds)

    def _beat(self, heartbeat: Heartbeat) -> None:
        """Record a heartbeat; after answers of Meta's a durable one, which brings them to the disk as well."""
        jobs = self._store.jobs
        durable, jobs.has_unsynced_answers = jobs.has_unsynced_answers, False
        try:
            self._store.heartbeats.beat(heartbeat, durable=durable)
        except StoreError:
            jobs.has_unsynced_answers |= durable
            raise

    def _delete_heartbeat(self, process: str) -> None:
        try:
            self._store.heartbeats.delete(process)
        except StoreError as error:
            log.warning("worker.heartbeat_not_removed", extra={"reason": self._store.explain(error)})


def is_worker_alive(store: Store, now: datetime) -> bool:
    """Return whether some worker has a fresh heartbeat."""
    return is_any_fresh(store.heartbeats.of_kind(KIND), now)
