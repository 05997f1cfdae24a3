"""A dispatcher serves one lane: it claims as many jobs as it has slots, and rests until there is more to do.

While more is due than it has slots, it is fed by the transactions that write the ends of its jobs down. Each lane has
slots of its own, so that one whose jobs hang holds up no other.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import gevent
from gevent.event import Event
from gevent.pool import Pool

from app.domain.job import Job
from app.domain.queue import Appetite
from app.jobs.executor import Handler
from app.jobs.leases import Leases
from app.jobs.queue import Lane, Task
from app.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
UNRUNG_SECONDS = 60.0
AWAY_SECONDS = 0.5
SHORTEST_REST = 0.02
"""A lane without a backlog is looked at 50 times a second at most, however often the bell rings: a claim for what
comes in 20 ms costs no more than one for each."""

GATHER_SECONDS = 0.010
FED_IN_A_ROW = 16
"""So often what ends is replaced at once; then another worker has a chance."""
HELD_BACK_SECONDS = 0.25
"""Until a lane is looked at again that has due jobs and gave none: all that may fly do, or another claims."""


class Dispatcher:
    """Claims and hands out. It is woken by the bell, by a slot that becomes free, and when a job falls due."""

    def __init__(
        self,
        lane: Lane,
        *,
        store: Store,
        leases: Leases,
        handler: Handler,
        slots: int,
        may_work: Callable[[], bool],
    ) -> None:
        self._lane = lane
        self._store = store
        self._leases = leases
        self._handler = handler
        self._slots = min(slots, lane.most)
        self._may_work = may_work
        self._woken = Event()
        self._in_flight = Pool()
        self._beginning = Pool()
        self._fed = 0
        self._promised = 0
        self._expects_more = False
        self._over = False

    def run(self) -> None:
        """Serve the lane until told to stop."""
        while not self._over:
            self._woken.clear()
            try:
                rest = self._claim()
            except StoreUnavailable as error:
                self._tell_away(error)
                rest = AWAY_SECONDS
            if rest and not self._over:
                gevent.sleep(SHORTEST_REST)
                self._woken.wait(max(0.0, rest - SHORTEST_REST))

    def stop(self) -> None:
        """Claim nothing more."""
        self._over = True
        self._woken.set()

    def ring(self) -> None:
        """Something was committed somewhere."""
        if self._lane.rung_for:
            self.wake()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def appetite(self, ended: int) -> Appetite | None:
        """Where there is more to do than can be done, as much is wanted as has ended."""
        limit = min(ended, self._free + ended)
        if limit <= 0 or self._over or not self._expects_more or not self._may_work():
            return None
        self._fed = (self._fed + 1) % FED_IN_A_ROW
        return Appetite(self._lane.name, self._lane.most, limit) if self._fed else None

    def feed(self, jobs: Sequence[Job], wanted: Appetite) -> None:
        """Begin these, which were claimed for us."""
        self._expects_more = len(jobs) == wanted.limit
        if jobs:
            self._promised += len(jobs)
            self._beginning.spawn(self._begin_fed, jobs)

    def join(self) -> None:
        """Wait for what is in flight."""
        while self._beginning or self._in_flight:
            self._beginning.join()
            self._in_flight.join()

    def kill(self) -> None:
        """Let go of what is in flight."""
        self._beginning.kill()
        self._in_flight.kill()

    def _claim(self) -> float:
        """Claim what there is to do. Seconds to rest afterwards, unless woken; 0 if there may be more."""
        if self._over or not self._may_work():
            return POLL_SECONDS
        if self._free <= 0:
            self._woken.wait(POLL_SECONDS)
            return 0
        if not self._lane.has_work():
            return POLL_SECONDS
        if self._begin(self._claimed()):
            return 0 if self._expects_more else SHORTEST_REST
        return self._until_due()

    def _until_due(self) -> float:
        """Nothing was to be had. Until something falls due; what is due already is held back."""
        longest = POLL_SECONDS if self._lane.rung_for else UNRUNG_SECONDS
        due = self._store.jobs.next_due_in(self._lane.name)
        if due is None or due > 0:
            return min(due or longest, longest)
        return HELD_BACK_SECONDS

    def _claimed(self) -> list[Job]:
        if self._in_flight:
            self._in_flight.join(GATHER_SECONDS)  # others finish soon, and one claim for several jobs is cheaper
        if self._free <= 0:  # it was fed meanwhile
            return []
        wanted = Appetite(self._lane.name, self._lane.most, self._free)
        jobs = self._leases.claim(wanted)
        self._expects_more = len(jobs) == wanted.limit and not self._lane.standing
        return jobs

    def _begin_fed(self, jobs: Sequence[Job]) -> None:
        try:
            self._begin(jobs)
        except StoreUnavailable as error:
            self._tell_away(error)
            self.wake()
        except Exception:
            log.exception("worker.failed", extra={"kind": self._lane.name})
            for job in jobs:
                self._leases.drop(job)
        finally:
            self._promised -= len(jobs)

    def _begin(self, jobs: Sequence[Job]) -> bool:
        for job, task in self._tasks(jobs):
            self._in_flight.spawn(self._handler.handle, self._lane, job, task).link(self._note_free)
        return bool(jobs)

    def _tasks(self, jobs: Sequence[Job]) -> Sequence[tuple[Job, Task]]:
        """Their tasks. A mistake of ours over one of them must not hold up the others, nor end this dispatcher."""
        try:
            return self._lane.prepare(jobs)
        except StoreUnavailable:
            self._leases.hand_back(jobs)
            raise
        except Exception as error:  # noqa: BLE001 - it comes again, and is logged, where that job is tried alone
            log.warning("worker.prepared_alone", extra={"kind": self._lane.name, "reason": type(error).__name__})
            return [(job, partial(self._lane.handle_alone, job)) for job in jobs]

    def _note_free(self, _ended: object) -> None:
        """A slot is free. That gives something to do where all were taken, or where one job waits for another."""
        if self._free == 1 or self._lane.ordered or self._lane.standing:
            self.wake()

    def _tell_away(self, error: StoreUnavailable) -> None:
        log.warning("worker.waiting_for_store", extra={"kind": self._lane.name, "reason": str(error)})

    @property
    def _free(self) -> int:
        """Less than 0 for the moment in which what was claimed for those that end is begun."""
        return self._slots - len(self._in_flight) - self._promised
