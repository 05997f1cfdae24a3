"""One attempt at a claimed job: handle it outside any transaction, then settle it while the claim is still ours."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import gevent
from gevent.pool import Pool

from app.domain.job import Dead, Job, Retry
from app.domain.job_result import JobResult, QueueSignal
from app.jobs.leases import Leases
from app.jobs.queue import Queue, Task, nothing
from app.store import GroupCommit, Store, StoreError, StoreUnavailable

log = logging.getLogger(__name__)

SETTLE_RETRY_SECONDS = 0.5
FIRST_PAUSE, MAX_PAUSE = timedelta(seconds=5), timedelta(hours=1)
MAX_INTERNAL_ERRORS = 15
MAX_UNSETTLED = 64
"""How many jobs of a worker may be done and not settled yet. If it is killed, they are done once more."""

FAILING = (QueueSignal.FAILURE, QueueSignal.GONE)

Failpoint = Callable[[str], None]
"""Called with the name of each point at which a crash test may kill the process."""


class Executor:
    """Runs the tasks of jobs and settles their results. Through `settlements` several results share a transaction."""

    def __init__(
        self, store: Store, leases: Leases, settlements: GroupCommit[JobResult, bool], on_failpoint: Failpoint
    ) -> None:
        self._store = store
        self._leases = leases
        self._settlements = settlements
        self._on_failpoint = on_failpoint
        self._settling = Pool(MAX_UNSETTLED)

    def handle(self, queue: Queue, job: Job, task: Task) -> JobResult | None:
        """Make one attempt, have it settled, and return its result. Do nothing if the lease is over, but hand the job
        back if something was stored about it.

        The result of a queue that claims ahead is settled by another greenlet, unless the queue is failing: then no
        more jobs may be tried than the breaker allows.

        After any exception the lease is dropped, so that it expires and another attempt follows. If the worker stops
        and kills this greenlet, the lease is kept: the worker hands it back.
        """
        result = None
        try:
            if not self._leases.holds(job):
                self._hand_back_reserved(queue, job)
            else:
                self._on_failpoint("claimed")
                result = self._attempt(queue, job, task)
                self._on_failpoint("handled")
                if queue.ahead and result.signal not in FAILING:
                    self._settling.spawn(self._settle_and_drop, queue, result)
                    return result
                self._settle(result)
        except Exception:
            log.exception("worker.failed", extra={"job_id": job.id, "queue": queue.name})
        self._leases.drop(job)
        return result

    def join(self) -> None:
        """Wait until every result is settled."""
        self._settling.join()

    def kill(self) -> None:
        """Abandon the results that are not settled, without waiting. Their leases are kept."""
        self._settling.kill(block=False)

    def _settle_and_drop(self, queue: Queue, result: JobResult) -> None:
        try:
            self._settle(result)
        except Exception:
            log.exception("worker.failed", extra={"job_id": result.job.id, "queue": queue.name})
        self._leases.drop(result.job)

    def _attempt(self, queue: Queue, job: Job, task: Task) -> JobResult:
        """Run the task and return its result. An internal error is logged, and the job is attempted again later."""
        try:
            return task()
        except StoreUnavailable as error:
            self._store.outage.met(error, job_id=job.id)
            return JobResult(job, Retry(FIRST_PAUSE))
        except Exception as error:
            log.exception("worker.failed", extra={"job_id": job.id, "queue": queue.name, "attempt": job.attempts + 1})
            with suppress(StoreError):
                queue.undo([job])
            return JobResult(job, _after_internal_error(queue, job, type(error).__name__))

    def _hand_back_reserved(self, queue: Queue, job: Job) -> None:
        """Hand a job back that was not started, because this process stood still past its lease.

        If nothing was stored about it, there is nothing to do: its lease has ended.
        """
        while queue.undo is not nothing:
            try:
                self._leases.hand_back([job])
            except StoreUnavailable as error:
                self._store.outage.met(error, job_id=job.id)
                gevent.sleep(SETTLE_RETRY_SECONDS)
            else:
                return

    def _settle(self, result: JobResult) -> None:
        """Settle, and repeat it while the store is unavailable and the claim is ours.

        Some results are recorded although another worker has the job by now, or it is deleted.
        """
        while result.outlives_claim or self._leases.holds(result.job):
            try:
                if not self._settlements.add(result, 1):
                    log.warning("worker.claim_lost", extra={"job_id": result.job.id})
            except StoreUnavailable as error:
                self._store.outage.met(error, job_id=result.job.id)
                gevent.sleep(SETTLE_RETRY_SECONDS)
            else:
                self._on_failpoint("settled")
                return


def _after_internal_error(queue: Queue, job: Job, error: str) -> Retry | Dead:
    if not queue.singleton and job.attempts + 1 >= MAX_INTERNAL_ERRORS:
        return Dead(f"internal error {error} after {MAX_INTERNAL_ERRORS} attempts")
    return Retry(min(FIRST_PAUSE * 2 ** min(job.attempts, 12), MAX_PAUSE))
