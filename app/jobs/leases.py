"""The leases of one worker: taken with a claim, renewed while the work goes on, and known when they are lost."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

import gevent

from app.domain.job import Job
from app.domain.queue import ClaimRequest
from app.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 3


class Leases:
    """What this worker holds, by its own clock, which goes on while the process is frozen."""

    def __init__(self, store: Store, lease: timedelta) -> None:
        self.lease = lease
        self._store = store
        self._held: dict[int, tuple[Job, float]] = {}

    def claim(self, wanted: ClaimRequest) -> list[Job]:
        """Claim due jobs of a queue. A lease counts from before it was asked for."""
        until = self._end_of_new_lease()
        return self._hold(self._store.jobs.claim(wanted, self.lease), until)

    def holds(self, job: Job) -> bool:
        """Tells whether the claim is still ours as far as we know; the store has the last word."""
        held = self._held.get(job.id)
        return held is not None and held[0].claim_id == job.claim_id and time.monotonic() < held[1]

    def drop(self, job: Job) -> None:
        """The job is settled, or somebody else's."""
        held = self._held.get(job.id)
        if held is not None and held[0].claim_id == job.claim_id:
            del self._held[job.id]

    def hand_back(self, jobs: Sequence[Job]) -> None:
        """Give these back: they are due at once, for anybody, and no try of them has ended."""
        for job in jobs:
            self.drop(job)
        if jobs:
            self._store.jobs.hand_back(jobs)

    def hand_back_all(self) -> None:
        """Give back what is still held."""
        self.hand_back([job for job, _ in self._held.values()])

    def renew_for_ever(self) -> None:
        """Renew all leases, three times within each."""
        while True:
            gevent.sleep(self.lease.total_seconds() / RENEWALS_PER_LEASE)
            try:
                self._renew([job for job, _ in self._held.values()])
            except StoreUnavailable as error:
                log.warning("worker.leases_not_renewed", extra={"reason": str(error)})

    def _renew(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        until = self._end_of_new_lease()
        ours = self._store.jobs.renew(jobs, self.lease)
        for job in jobs:
            if job.id in ours:
                self._extend(job, until)
            else:
                self.drop(job)

    def _extend(self, job: Job, until: float) -> None:
        held = self._held.get(job.id)
        if held is not None and held[0].claim_id == job.claim_id:
            self._held[job.id] = (job, until)

    def _hold(self, jobs: list[Job], until: float) -> list[Job]:
        self._held.update({job.id: (job, until) for job in jobs})
        return jobs

    def _end_of_new_lease(self) -> float:
        return time.monotonic() + self.lease.total_seconds()
