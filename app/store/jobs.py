"""Jobs: open work, claimed with a lease and a fence, settled only by the owner of the claim."""

import logging
import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from app.domain.job import SINGLETON_QUEUES, Dead, Job, kind_of_queue
from app.domain.job_result import JobResult
from app.domain.queue import ClaimRequest, QueueDepth
from app.store.engine.group_commit import Drain
from app.store.engine.write import Channel
from app.store.queue_kinds import QueueKind, log_changes
from app.store.repository import Repository, StoreContext
from app.store.tables.jobs import depths_of_queues, earliest_due
from app.store.tables.queue_health import Jitter, QueueChange
from app.store.transactions.claim_jobs import claim_jobs, hand_back_jobs, renew_jobs
from app.store.transactions.settle_jobs import SettledJobs, settle_jobs

log = logging.getLogger(__name__)

MAX_CLAIMS = 5
DIED = f"its worker died {MAX_CLAIMS} times"


class _Claimed(NamedTuple):
    """Claimed jobs; those that were given up instead, and the queues that this has changed."""

    jobs: list[Job]
    deadly: list[Job]
    changes: list[QueueChange]


class Jobs(Repository):
    """Open work. `kinds` says what each kind of queue adds to settling; `jitter` spreads the pauses of breakers.

    Claims and settlements do not wait for the disk: a job whose claim or result a power cut takes back is done again.
    What cannot be done again is an answer of Meta's: `has_unsynced_answers` asks for a durable commit within seconds.
    """

    has_unsynced_answers = False

    def __init__(self, store: StoreContext, kinds: Mapping[str, QueueKind], jitter: Jitter = random.random) -> None:
        super().__init__(store)
        self._kinds = kinds
        self._recorders = {name: kind.record_results for name, kind in kinds.items()}
        self._late_recorders = {name: kind.record_all for name, kind in kinds.items() if kind.record_all}
        self._jitter = jitter

    def claim(self, request: ClaimRequest, lease: timedelta) -> list[Job]:
        """Claim due jobs of a queue, for the slots that are free and those of the worker. Each claim lasts until its
        lease expires."""
        claimed = self._store.write(lambda c: self._claim(c, self._store.now(c), request, lease), durable=False)
        for job in claimed.deadly:
            log.error("worker.gave_up", extra={"job_id": job.id, "queue": job.queue, "reason": DIED})
        log_changes(self._kinds, claimed.changes)
        return claimed.jobs

    def renew(self, jobs: Sequence[Job], lease: timedelta) -> set[int]:
        """Extend the leases of claims that are still held, and return the ids of their jobs."""
        return self._store.write(lambda c: renew_jobs(c, self._store.now(c) + lease, jobs), durable=False)

    def hand_back(self, jobs: Sequence[Job]) -> None:
        """Give up claims without an attempt, so that another worker can claim the jobs at once."""
        self._store.write(lambda c: hand_back_jobs(c, self._store.now(c), jobs), "work")

    def settle(self, results: Sequence[JobResult]) -> list[bool]:
        """Record results: the jobs, what they are about, and the state of their queues.

        Return False for each result whose claim was lost; it changes nothing.
        """
        return self.settle_batch(lambda: results)

    def settle_batch(self, drain: Drain[JobResult]) -> list[bool]:
        """Settle the results that `drain` returns. It is called inside the transaction, once that may write."""

        channels: list[Channel] = []

        def settle(connection: Connection) -> SettledJobs:
            results = drain()
            channels.extend({channel for result in results for channel in self._channels_of(result.job.queue)})
            self.has_unsynced_answers |= any(result.outlives_claim for result in results)
            return self._settle(connection, self._store.now(connection), results)

        settled = self._store.write(settle, *self._store.channels_of_changes, durable=False, found=channels)
        log_changes(self._kinds, settled.changes)
        return settled.applied

    def next_due_in(self, queue: str) -> float | None:
        """Return the seconds until a job of this queue can be claimed; see `next_due`. None if there is none."""
        return self.next_due([queue]).get(queue)

    def next_due(self, queues: Collection[str]) -> dict[str, float]:
        """Return the seconds until a job of each of these queues can be claimed, by the database's clock.

        They are negative if one is overdue. A queue is left out if it has no open job, or is paused or disabled.
        """
        return self._store.database.read(lambda c: self._next_due(c, queues))

    def depths(self) -> list[QueueDepth]:
        """Count the open jobs of each queue that has any."""
        return self._store.database.read(lambda c: depths_of_queues(c, self._store.now(c)))

    def _channels_of(self, queue: str) -> tuple[Channel, ...]:
        kind = self._kinds.get(kind_of_queue(queue))
        return () if kind is None else kind.channels

    def _next_due(self, connection: Connection, queues: Collection[str]) -> dict[str, float]:
        now = self._store.now(connection)
        due = earliest_due(connection, now, queues)
        return {queue: (at - now).total_seconds() for queue, at in due.items()}

    def _claim(self, connection: Connection, now: datetime, request: ClaimRequest, lease: timedelta) -> _Claimed:
        """Claim jobs. One claimed more than MAX_CLAIMS times without being settled probably crashes its worker: it is
        dead."""
        claimed = claim_jobs(connection, now, request, lease)
        deadly = [job for job, claims in claimed if claims > MAX_CLAIMS and job.queue not in SINGLETON_QUEUES]
        settled = self._settle(connection, now, [JobResult(job, Dead(DIED)) for job in deadly]) if deadly else None
        return _Claimed(
            [job for job, _ in claimed if job not in deadly], deadly, settled.changes if settled is not None else []
        )

    def _settle(self, connection: Connection, now: datetime, results: Sequence[JobResult]) -> SettledJobs:
        return settle_jobs(
            connection,
            now,
            results,
            recorders=self._recorders,
            late_recorders=self._late_recorders,
            jitter=self._jitter,
        )
