"""The leases of one worker: taken with a claim, renewed while a job runs, and dropped when they are lost."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from gevent.event import Event

from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.jobs.loop_deadline import LoopDeadline
from app.jobs.queue import Undo
from app.running_time import elapsed_seconds
from app.store import Store, StoreError

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 3


class Leases:
    """The claims that this worker holds, and when each expires by a clock that runs while the process is frozen, or
    the machine suspended."""

    def __init__(self, store: Store, lease: timedelta) -> None:
        self.length = lease
        self._store = store
        self._held: dict[int, tuple[Job, float]] = {}
        self._dropped: dict[str, Callable[[], None]] = {}
        self._undo: dict[str, Undo] = {}
        self.loop_deadline = LoopDeadline("leases")

    def claim(self, request: ClaimRequest) -> list[Job]:
        """Claim due jobs of a queue. Their leases count from before the request, so that they never last too long."""
        expires_at = self._expiry_of_new_lease()
        jobs = self._store.jobs.claim(request, self.length)
        self._held.update({job.id: (job, expires_at) for job in jobs})
        return jobs

    def when_dropped(self, queue: str, callback: Callable[[], None]) -> None:
        """Call this whenever a claim in this queue is dropped."""
        self._dropped[queue] = callback

    def when_handed_back(self, queue: str, undo: Undo) -> None:
        """Call this with the claims of this queue that are handed back, before another worker may have them."""
        self._undo[queue] = undo

    def slots(self, queue: str) -> set[int]:
        """Return the slots of the queue that the claims of this worker occupy."""
        return {job.slot for job, _ in self._held.values() if job.queue == queue}

    def holds(self, job: Job) -> bool:
        """Return whether the claim is still ours, as far as this worker knows. The store decides when it settles."""
        return self._has_claim(job) and elapsed_seconds() < self._held[job.id][1]

    def drop(self, job: Job) -> None:
        """Forget the claim: the job is settled, or another worker has it."""
        if self._has_claim(job):
            del self._held[job.id]
            if job.queue in self._dropped:
                self._dropped[job.queue]()

    def hand_back(self, jobs: Sequence[Job]) -> None:
        """Give up the claims of these jobs: they are due at once, for any worker, and no attempt is counted.

        They are dropped first, so that none of them is begun any more.
        """
        for job in jobs:
            self.drop(job)
        for queue in sorted({job.queue for job in jobs} & set(self._undo)):
            self._undo[queue]([job for job in jobs if job.queue == queue])
        if jobs:
            self._store.jobs.hand_back(jobs)

    def hand_back_all(self) -> None:
        """Give up every claim that is still held."""
        self.hand_back([job for job, _ in self._held.values()])

    def renew_until(self, stopped: Event) -> None:
        """Renew all leases, three times within the length of one."""
        while True:
            rest_seconds = self.length.total_seconds() / RENEWALS_PER_LEASE
            self.loop_deadline.extend(rest_seconds)
            if stopped.wait(rest_seconds):
                return
            try:
                self._renew([job for job, _ in self._held.values()])
            except StoreError as error:
                self._store.outage.met(error)

    def _renew(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        expires_at = self._expiry_of_new_lease()
        renewed = self._store.jobs.renew(jobs, self.length)
        for job in jobs:
            if job.id not in renewed:
                self.drop(job)
            elif self._has_claim(job):  # it may have been settled meanwhile
                self._held[job.id] = (job, expires_at)

    def _has_claim(self, job: Job) -> bool:
        held = self._held.get(job.id)
        return held is not None and held[0].claim_id == job.claim_id

    def _expiry_of_new_lease(self) -> float:
        return elapsed_seconds() + self.length.total_seconds()
