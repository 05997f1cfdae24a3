"""A dispatcher serves one queue: it claims jobs for its slots, starts them, and waits for more.

Each queue has slots of its own, so that a queue whose jobs hang does not delay the others. While a queue has a
backlog and its jobs take milliseconds, a claim also gets the jobs that the slots will start in the next moment.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

import gevent
from gevent.event import Event

from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.jobs.executor import FAILING, Executor
from app.jobs.leases import Leases
from app.jobs.loop_deadline import LoopDeadline
from app.jobs.pace import Pace
from app.jobs.queue import Queue, Task
from app.jobs.slots import Slots
from app.store import Store, StoreError

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
TIMER_SECONDS = 60.0
STORE_RETRY_SECONDS = 0.5
BATCH_WINDOW_SECONDS = 0.010
"""How long a claim waits for more slots to become free: one claim for several jobs is cheaper than one for each."""

HELD_BACK_SECONDS = 0.25
"""After a claim that returned nothing although jobs are due: other workers have all slots of the queue."""

EARLIER_SECONDS = 0.02
"""A job that is due less than this before the end of a rest does not shorten it."""

SLOW_SECONDS = 0.25
"""A slot whose job has been in flight for this long gets no more. Jobs that wait twice as long are handed back."""


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
        pace: Pace | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._leases = leases
        self._executor = executor
        self._slots = min(queue.slots or slots, queue.max_in_flight)
        self._may_work = may_work
        self._poll_seconds = poll_seconds
        self._woken = Event()
        self._jobs = Slots(self._handle, self._note_end)
        self._pace = pace or Pace()
        self._claimed_at = time.monotonic()
        self._is_held_back = False
        self._rests_until: float | None = None
        self._stopped = False
        self.queue_name = queue.name
        self.loop_deadline = LoopDeadline(queue.name)
        leases.when_dropped(queue.name, self._note_dropped)
        leases.when_handed_back(queue.name, queue.undo)

    def run(self) -> None:
        """Serve the queue until `stop` is called."""
        while not self._stopped:
            self._woken.clear()
            try:
                rest_seconds = self._claim_and_start()
            except StoreError as error:
                self._store.outage.met(error, queue=self._queue.name)
                rest_seconds = STORE_RETRY_SECONDS
            self.loop_deadline.extend(rest_seconds)
            if rest_seconds and not self._stopped:
                self._rest(rest_seconds)
        self._hand_back(self._jobs.take_waiting())

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopped = True
        self._woken.set()

    @property
    def rests(self) -> bool:
        """Whether it waits for a job, so that a commit concerns it only if one is due: see `expect`."""
        return self._rests_until is not None and not self._queue.singleton

    def notify(self) -> None:
        """Check the queue because some process has committed something."""
        if self._queue.wakes_on_commit:
            self.wake()

    def expect(self, due_in: float) -> None:
        """Check the queue if a job is due in this many seconds, and its rest would last longer."""
        until = self._rests_until
        if until is None or time.monotonic() + due_in + EARLIER_SECONDS < until:
            self.notify()

    def wake(self) -> None:
        """Check the queue now."""
        self._woken.set()

    def join(self) -> None:
        """Wait for the jobs in flight, and until they are settled."""
        self._jobs.join()
        self._executor.join()

    def kill(self) -> None:
        """Abandon the jobs in flight, without waiting."""
        self._jobs.kill()
        self._executor.kill()

    def _rest(self, seconds: float) -> None:
        """Wait for a job. However often it is woken, it waits a little: one claim for several jobs costs no more than
        one for each."""
        self._rests_until = time.monotonic() + seconds
        gevent.sleep(self._queue.rest_seconds)
        self._woken.wait(max(0.0, seconds - self._queue.rest_seconds))
        self._rests_until = None

    def _claim_and_start(self) -> float:
        """Return the seconds to rest before the next claim, unless woken; 0 if more jobs may be due."""
        if self._stopped or not self._may_work():
            return self._poll_seconds
        self._hand_back(self._jobs.take_waiting(older_than=2 * SLOW_SECONDS))
        if not self._has_room():
            self._woken.wait(SLOW_SECONDS if self._jobs.waiting else self._poll_seconds)
            return 0
        if not self._queue.has_work():
            return self._poll_seconds if self._queue.singleton else self._seconds_until_due()
        if self._jobs.in_flight and not self._pace.ahead:
            self._jobs.join(BATCH_WINDOW_SECONDS)
        request = self._next_request()
        if request.limit <= 0:  # the pace has fallen: less is claimed ahead than waits already
            return 0
        jobs = self._leases.claim(request)
        self._is_held_back = False
        if not jobs:
            return self._seconds_until_due()
        self._start(jobs)
        return 0 if len(jobs) == request.limit and not self._queue.singleton else self._queue.rest_seconds

    def _has_room(self) -> bool:
        """Return whether to claim more jobs: once half of the jobs claimed ahead were started."""
        return self._room() > self._pace.ahead // 2

    def _room(self) -> int:
        return self._slots + self._pace.ahead - len(self._jobs)

    def _next_request(self) -> ClaimRequest:
        if not self._queue.ahead:
            limit = min(self._room(), self._most_at_once())
            return ClaimRequest(self._queue.name, self._queue.max_in_flight, limit)
        slow = self._jobs.slow(SLOW_SECONDS)
        self._pace.measure(self._slots - len(slow))
        held = sorted(self._leases.slots(self._queue.name) - slow, key=self._jobs.load)
        slots = self._slots - len(slow)
        return ClaimRequest(self._queue.name, self._queue.max_in_flight, self._room(), slots, tuple(held))

    def _most_at_once(self) -> int:
        before, self._claimed_at = self._claimed_at, time.monotonic()
        return self._slots if self._queue.max_claim is None else self._queue.max_claim(self._claimed_at - before)

    def _seconds_until_due(self) -> float:
        """Return when to check the queue again after a claim that returned nothing."""
        longest = self._poll_seconds if self._queue.wakes_on_commit else TIMER_SECONDS
        due = self._store.jobs.next_due_in(self._queue.name)
        if due is None or due > 0:
            return min(due or longest, longest)
        self._is_held_back = True
        return HELD_BACK_SECONDS

    def _start(self, jobs: Sequence[Job]) -> None:
        prepared = self._prepare(jobs)
        started = {job.id for job, _ in prepared}
        for job in jobs:
            if job.id not in started:  # it was handed back
                self._leases.drop(job)
        self._jobs.start(prepared)

    def _handle(self, job: Job, task: Task) -> None:
        """Handle a job. Once a queue fails, hand back what was claimed ahead: the breaker decides about it."""
        result = self._executor.handle(self._queue, job, task)
        if result is not None and result.signal in FAILING:
            self._pace.stop()
            self._hand_back(self._jobs.take_waiting())
        self._pace.count()

    def _note_end(self) -> None:
        if self._has_room():
            self.wake()

    def _hand_back(self, jobs: Sequence[Job]) -> None:
        try:
            self._leases.hand_back(jobs)
        except StoreError as error:
            self._store.outage.met(error, queue=self._queue.name)

    def _prepare(self, jobs: Sequence[Job]) -> Sequence[tuple[Job, Task]]:
        """Return a task for each job. If they cannot be prepared together, each task prepares its job alone.

        An internal error over one job must neither delay the others nor end the dispatcher. It occurs again, and is
        logged, in the attempt of that job.
        """
        try:
            return self._queue.prepare(jobs)
        except StoreError:
            self._leases.hand_back(jobs)
            raise
        except Exception as error:  # noqa: BLE001
            log.warning("worker.batch_load_failed", extra={"queue": self._queue.name, "reason": type(error).__name__})
            self._undo(jobs)
            return [(job, partial(self._queue.handle_alone, job)) for job in jobs]

    def _undo(self, jobs: Sequence[Job]) -> None:
        """Undo what was stored about the jobs before the error. If that fails too, keep no claim."""
        try:
            self._queue.undo(jobs)
        except StoreError:
            self._leases.hand_back(jobs)
            raise

    def _note_dropped(self) -> None:
        """Wake the dispatcher if it waits for a slot, or if a settled job may make another one due."""
        if self._is_held_back or self._queue.ordered or self._queue.singleton:
            self.wake()
