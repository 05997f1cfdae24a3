"""Jobs: open work, claimed with a lease and a fence, settled by its owner only."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.domain.job import SINGLETON_QUEUES, Dead, Job
from app.domain.job_result import JobResult
from app.domain.queue import ClaimRequest, QueueDepth
from app.store.engine.group_commit import Drain
from app.store.repository import Repository, StoreContext
from app.store.tables.jobs import depths_of_queues, earliest_due
from app.store.tables.queue_health import Jitter
from app.store.transactions.claim_jobs import claim_jobs, hand_back_jobs, renew_jobs
from app.store.transactions.settle_jobs import settle_jobs

MAX_CLAIMS = 5
DIED = f"its worker died {MAX_CLAIMS} times"


class Jobs(Repository):
    """Open work. `jitter` spreads what would otherwise happen at once.

    Claims and their ends are not waited for on disk: a power cut that takes one back has the job tried once more.
    """

    def __init__(self, store: StoreContext, jitter: Jitter = random.random) -> None:
        super().__init__(store)
        self._chance = jitter

    def claim(self, wanted: ClaimRequest, lease: timedelta) -> list[Job]:
        """Jobs that are due, as long as no more are in flight than may be; none while somebody else is claiming in
        this queue. Each is held until its lease ends."""
        return self._store.write(lambda c: self._claim(c, self._store.now(c), wanted, lease), durable=False)

    def renew(self, jobs: Sequence[Job], lease: timedelta) -> set[int]:
        """Hold on to them for longer; the ids of those that are still held."""
        return self._store.write(lambda c: renew_jobs(c, self._store.now(c) + lease, jobs), durable=False)

    def hand_back(self, jobs: Sequence[Job]) -> None:
        """They were claimed and not begun: let others have them."""
        self._store.write(lambda c: hand_back_jobs(c, self._store.now(c), jobs), "work")

    def settle(self, results: Sequence[JobResult]) -> list[bool]:
        """Write down how attempts ended: the jobs, their deliveries, the state of their queues. False where the claim
        was lost: then nothing is changed."""
        return self.settle_batch(lambda: results)

    def settle_batch(self, drain: Drain[JobResult]) -> list[bool]:
        """Settle what `drain` returns, which it decides once the transaction holds the right to write."""

        def settle(connection: Connection) -> list[bool]:
            results = drain()
            return settle_jobs(connection, self._store.now(connection), results, self._chance)

        return self._store.write(settle, durable=False)

    def next_due_in(self, queue: str) -> float | None:
        """Seconds until something of this queue can be claimed, by the database's clock; less than 0 if it can
        already. None if nothing of it is open, or it is paused or disabled."""
        return self._store.database.read(lambda c: self._until(c, earliest_due(c, queue)))

    def depths(self) -> list[QueueDepth]:
        """How many jobs are open in each queue that has any."""
        return self._store.database.read(lambda c: depths_of_queues(c, self._store.now(c)))

    def _until(self, connection: Connection, due: datetime | None) -> float | None:
        return None if due is None else (due - self._store.now(connection)).total_seconds()

    def _claim(self, connection: Connection, now: datetime, wanted: ClaimRequest, lease: timedelta) -> list[Job]:
        """A job that outlived that many of its workers is what killed them: it is given up."""
        claimed = claim_jobs(connection, now, wanted, lease)
        deadly = [job for job, claims in claimed if claims > MAX_CLAIMS and job.queue not in SINGLETON_QUEUES]
        if deadly:
            settle_jobs(connection, now, [JobResult(job, Dead(DIED)) for job in deadly], self._chance)
        return [job for job, _ in claimed if job not in deadly]
