"""A dispatcher serves one queue: it claims as many jobs as it has free slots, starts them, and waits for more.

Each queue has slots of its own, so that a queue whose jobs hang does not delay the others.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import gevent
from gevent.event import Event
from gevent.pool import Pool

from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.jobs.executor import Executor
from app.jobs.leases import Leases
from app.jobs.queue import Queue, Task
from app.jobs.turns import Turn
from app.log import Throttle
from app.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
TIMER_SECONDS = 60.0
STORE_RETRY_SECONDS = 0.5
MIN_REST_SECONDS = 0.02
"""A queue without a backlog is checked at most 50 times a second, however often the notifier wakes its dispatcher:
one claim for the jobs of 20 ms costs no more than a claim for each of them."""

BATCH_WINDOW_SECONDS = 0.010
"""How long a claim waits for more slots to become free: one claim for several jobs is cheaper than one for each."""

HELD_BACK_SECONDS = 0.25
"""After a claim that returned nothing although jobs are due: `max_in_flight` is reached, or another worker claims."""


class Dispatcher:
    """Claims jobs and starts them. The notifier, a free slot and a job that falls due wake it."""

    def __init__(
        self,
        queue: Queue,
        *,
        store: Store,
        leases: Leases,
        executor: Executor,
        slots: int,
        may_work: Callable[[], bool],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._queue = queue
        self._store = store
        self._leases = leases
        self._executor = executor
        self._slots = min(queue.slots or slots, queue.max_in_flight)
        self._may_work = may_work
        self._poll_seconds = poll_seconds
        self._woken = Event()
        self._in_flight = Pool()
        self._stopped = False
        self._waiting = Throttle()
        self.turn = Turn(queue.name)

    def run(self) -> None:
        """Serve the queue until `stop` is called."""
        while not self._stopped:
            self._woken.clear()
            try:
                rest_seconds = self._claim_and_start()
            except StoreUnavailable as error:
                self._log_waiting(self._store.explain(error))
                rest_seconds = STORE_RETRY_SECONDS
            self.turn.rest(rest_seconds)
            if rest_seconds and not self._stopped:
                gevent.sleep(MIN_REST_SECONDS)
                self._woken.wait(max(0.0, rest_seconds - MIN_REST_SECONDS))

    def _log_waiting(self, reason: str) -> None:
        repeats = self._waiting.repeats(reason)
        if repeats is not None:
            fields = {"queue": self._queue.name, "reason": reason, "repeats": repeats or None}
            log.warning("worker.waiting_for_store", extra=fields)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopped = True
        self._woken.set()

    def notify(self) -> None:
        """Check the queue because some process has committed something."""
        if self._queue.wakes_on_commit:
            self.wake()

    def wake(self) -> None:
        """Check the queue now."""
        self._woken.set()

    def join(self) -> None:
        """Wait for the jobs in flight."""
        self._in_flight.join()

    def kill(self) -> None:
        """Abandon the jobs in flight, without waiting: what they call may swallow the exception."""
        self._in_flight.kill(block=False)

    @property
    def _free_slots(self) -> int:
        return self._slots - len(self._in_flight)

    def _claim_and_start(self) -> float:
        """Return the seconds to rest before the next claim, unless woken; 0 if more jobs may be due."""
        if self._stopped or not self._may_work():
            return self._poll_seconds
        if not self._free_slots:
            self._woken.wait(self._poll_seconds)
            return 0
        if not self._queue.has_work():
            return self._poll_seconds
        if self._in_flight:
            self._in_flight.join(BATCH_WINDOW_SECONDS)
        limit = min(self._free_slots, self._queue.max_claim or self._slots)
        jobs = self._leases.claim(ClaimRequest(self._queue.name, self._queue.max_in_flight, limit))
        if not jobs:
            return self._seconds_until_due()
        self._start(jobs)
        return 0 if len(jobs) == limit and not self._queue.singleton else MIN_REST_SECONDS

    def _seconds_until_due(self) -> float:
        """Return when to check the queue again after a claim that returned nothing."""
        longest = self._poll_seconds if self._queue.wakes_on_commit else TIMER_SECONDS
        due = self._store.jobs.next_due_in(self._queue.name)
        if due is None or due > 0:
            return min(due or longest, longest)
        return HELD_BACK_SECONDS

    def _start(self, jobs: Sequence[Job]) -> None:
        prepared = self._prepare(jobs)
        started = {job.id for job, _ in prepared}
        for job in jobs:
            if job.id not in started:  # it was handed back
                self._leases.drop(job)
        for job, task in prepared:
            self._in_flight.spawn(self._executor.handle, self._queue, job, task).link(self._note_free)

    def _prepare(self, jobs: Sequence[Job]) -> Sequence[tuple[Job, Task]]:
        """Return a task for each job. If they cannot be prepared together, each task prepares its job alone.

        An internal error over one job must neither delay the others nor end the dispatcher. It occurs again, and is
        logged, in the attempt of that job.
        """
        try:
            return self._queue.prepare(jobs)
        except StoreUnavailable:
            self._leases.hand_back(jobs)
            raise
        except Exception as error:  # noqa: BLE001
            log.warning("worker.batch_load_failed", extra={"queue": self._queue.name, "reason": type(error).__name__})
            return [(job, partial(self._queue.handle_alone, job)) for job in jobs]

    def _note_free(self, _finished: object) -> None:
        """Wake the dispatcher if it waits for a slot, or if a finished job may make another one due."""
        if self._free_slots == 1 or self._queue.ordered or self._queue.singleton:
            self.wake()
