"""A dispatcher serves one queue: it claims as many jobs as it has slots, and rests until there is more to do.

While more is due than it has slots, it is fed by the transactions that write the ends of its jobs down. Each queue has
slots of its own, so that one whose jobs hang holds up no other.
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
from app.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
TIMER_SECONDS = 60.0
AWAY_SECONDS = 0.5
MIN_REST = 0.02
"""A queue without a backlog is looked at 50 times a second at most, however often the notifier rings: a claim for what
comes in 20 ms costs no more than one for each."""

BATCH_WINDOW_SECONDS = 0.010
MAX_REFILLS_IN_A_ROW = 16
"""So often what ends is replaced at once; then another worker has a jitter."""
HELD_BACK_SECONDS = 0.25
"""Until a queue is looked at again that has due jobs and gave none: all that may fly do, or another claims."""


class Dispatcher:
    """Claims and hands out. It is woken by the notifier, by a slot that becomes free, and when a job falls due."""

    def __init__(
        self,
        queue: Queue,
        *,
        store: Store,
        leases: Leases,
        executor: Executor,
        slots: int,
        may_work: Callable[[], bool],
    ) -> None:
        self._queue = queue
        self._store = store
        self._leases = leases
        self._handler = executor
        self._slots = min(slots, queue.max_in_flight)
        self._may_work = may_work
        self._woken = Event()
        self._in_flight = Pool()
        self._starting = Pool()
        self._refills = 0
        self._reserved_slots = 0
        self._expects_more = False
        self._over = False

    def run(self) -> None:
        """Serve the queue until told to stop."""
        while not self._over:
            self._woken.clear()
            try:
                rest = self._claim()
            except StoreUnavailable as error:
                self._tell_away(error)
                rest = AWAY_SECONDS
            if rest and not self._over:
                gevent.sleep(MIN_REST)
                self._woken.wait(max(0.0, rest - MIN_REST))

    def stop(self) -> None:
        """Claim nothing more."""
        self._over = True
        self._woken.set()

    def notify(self) -> None:
        """Something was committed somewhere."""
        if self._queue.wakes_on_commit:
            self.wake()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def next_claim(self, ended: int) -> ClaimRequest | None:
        """Where there is more to do than can be done, as much is wanted as has ended."""
        limit = min(ended, self._free + ended)
        if limit <= 0 or self._over or not self._expects_more or not self._may_work():
            return None
        self._refills = (self._refills + 1) % MAX_REFILLS_IN_A_ROW
        return ClaimRequest(self._queue.name, self._queue.max_in_flight, limit) if self._refills else None

    def start(self, jobs: Sequence[Job], wanted: ClaimRequest) -> None:
        """Begin these, which were claimed for us."""
        self._expects_more = len(jobs) == wanted.limit
        if jobs:
            self._reserved_slots += len(jobs)
            self._starting.spawn(self._start_refill, jobs)

    def join(self) -> None:
        """Wait for what is in flight."""
        while self._starting or self._in_flight:
            self._starting.join()
            self._in_flight.join()

    def kill(self) -> None:
        """Let go of what is in flight."""
        self._starting.kill()
        self._in_flight.kill()

    def _claim(self) -> float:
        """Claim what there is to do. Seconds to rest afterwards, unless woken; 0 if there may be more."""
        if self._over or not self._may_work():
            return POLL_SECONDS
        if self._free <= 0:
            self._woken.wait(POLL_SECONDS)
            return 0
        if not self._queue.has_work():
            return POLL_SECONDS
        if self._begin(self._claimed()):
            return 0 if self._expects_more else MIN_REST
        return self._until_due()

    def _until_due(self) -> float:
        """Nothing was to be had. Until something falls due; what is due already is held back."""
        longest = POLL_SECONDS if self._queue.wakes_on_commit else TIMER_SECONDS
        due = self._store.jobs.next_due_in(self._queue.name)
        if due is None or due > 0:
            return min(due or longest, longest)
        return HELD_BACK_SECONDS

    def _claimed(self) -> list[Job]:
        if self._in_flight:
            self._in_flight.join(
                BATCH_WINDOW_SECONDS
            )  # others finish soon, and one claim for several jobs is cheaper
        if self._free <= 0:  # it was fed meanwhile
            return []
        wanted = ClaimRequest(self._queue.name, self._queue.max_in_flight, self._free)
        jobs = self._leases.claim(wanted)
        self._expects_more = len(jobs) == wanted.limit and not self._queue.singleton
        return jobs

    def _start_refill(self, jobs: Sequence[Job]) -> None:
        try:
            self._begin(jobs)
        except StoreUnavailable as error:
            self._tell_away(error)
            self.wake()
        except Exception:
            log.exception("worker.failed", extra={"queue": self._queue.name})
            for job in jobs:
                self._leases.drop(job)
        finally:
            self._reserved_slots -= len(jobs)

    def _begin(self, jobs: Sequence[Job]) -> bool:
        for job, task in self._tasks(jobs):
            self._in_flight.spawn(self._handler.handle, self._queue, job, task).link(self._note_free)
        return bool(jobs)

    def _tasks(self, jobs: Sequence[Job]) -> Sequence[tuple[Job, Task]]:
        """Their tasks. A mistake of ours over one of them must not hold up the others, nor end this dispatcher."""
        try:
            return self._queue.prepare(jobs)
        except StoreUnavailable:
            self._leases.hand_back(jobs)
            raise
        except Exception as error:  # noqa: BLE001 - it comes again, and is logged, where that job is tried alone
            log.warning("worker.prepared_alone", extra={"queue": self._queue.name, "reason": type(error).__name__})
            return [(job, partial(self._queue.handle_alone, job)) for job in jobs]

    def _note_free(self, _ended: object) -> None:
        """A slot is free. That gives something to do where all were taken, or where one job waits for another."""
        if self._free == 1 or self._queue.ordered or self._queue.singleton:
            self.wake()

    def _tell_away(self, error: StoreUnavailable) -> None:
        log.warning("worker.waiting_for_store", extra={"queue": self._queue.name, "reason": str(error)})

    @property
    def _free(self) -> int:
        """Less than 0 for the moment in which what was claimed for those that end is begun."""
        return self._slots - len(self._in_flight) - self._reserved_slots
