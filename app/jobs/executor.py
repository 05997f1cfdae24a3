"""One try of a claimed job: handle it outside any transaction, then settle it, as long as the claim is ours."""

import logging
from collections.abc import Callable
from datetime import timedelta

import gevent

from app.domain.job import Dead, Job, Retry
from app.domain.job_result import JobResult
from app.jobs.leases import Leases
from app.jobs.queue import Queue, Task
from app.store import GroupCommit, StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)

SETTLE_RETRY_SECONDS = 0.5
FIRST_PAUSE, MAX_PAUSE = timedelta(seconds=5), timedelta(hours=1)
MAX_INTERNAL_ERRORS = 15

Failpoint = Callable[[str], None]


class Executor:
    """Handles and settles."""

    def __init__(self, leases: Leases, settlements: GroupCommit[JobResult, bool], on_failpoint: Failpoint) -> None:
        self._leases = leases
        self._settlements = settlements
        self._on_point = on_failpoint

    def handle(self, queue: Queue, job: Job, task: Task) -> None:
        """Try a job once. A claim that was lost before is left to whoever has it now.

        Whatever happens the lease is let go of, so that it ends; unless the worker is stopping, which hands it back.
        """
        try:
            if self._leases.holds(job):
                self._on_point("claimed")
                settlement = attempt(queue, job, task)
                self._on_point("handled")
                self._settle(settlement)
        except Exception:
            log.exception("worker.failed", extra={"job_id": job.id, "queue": queue.name})
        self._leases.drop(job)

    def _settle(self, settlement: JobResult) -> None:
        """Write it down, however long the store is away, while the claim is ours."""
        while self._leases.holds(settlement.job):
            try:
                if not self._settlements.add(settlement, 1):
                    log.warning("worker.claim_lost", extra={"job_id": settlement.job.id})
            except StoreRefused:
                raise
            except StoreUnavailable as error:
                log.warning("worker.not_settled", extra={"job_id": settlement.job.id, "reason": str(error)})
                gevent.sleep(SETTLE_RETRY_SECONDS)
            else:
                self._on_point("settled")
                return


def attempt(queue: Queue, job: Job, task: Task) -> JobResult:
    """How the try ended. A mistake of ours is one more way to fail: it is logged, and the job tried again later."""
    try:
        return task()
    except StoreUnavailable as error:
        log.warning("worker.store_away", extra={"job_id": job.id, "reason": str(error)})
        return JobResult(job, Retry(FIRST_PAUSE))
    except Exception as error:
        log.exception("worker.failed", extra={"job_id": job.id, "queue": queue.name, "attempt": job.attempts + 1})
        return JobResult(job, _after_internal_error(queue, job, type(error).__name__))


def _after_internal_error(queue: Queue, job: Job, name: str) -> Retry | Dead:
    if not queue.singleton and job.attempts + 1 >= MAX_INTERNAL_ERRORS:
        return Dead(f"wats failed on it with {name}, {MAX_INTERNAL_ERRORS} times")
    return Retry(min(FIRST_PAUSE * 2 ** min(job.attempts, 12), MAX_PAUSE))
