"""One try of a claimed job: handle it outside any transaction, then settle it, as long as the claim is ours."""

import logging
from collections.abc import Callable
from datetime import timedelta

import gevent

from app.domain.job import Again, Dead, Job
from app.domain.job_result import Settlement
from app.jobs.leases import Leases
from app.jobs.queue import Lane, Task
from app.jobs.settlement_batcher import Turnover
from app.store import StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)

SETTLE_AGAIN_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
MISTAKES_TO_DIE = 15

Point = Callable[[str], None]


class Handler:
    """Handles and settles."""

    def __init__(self, leases: Leases, turnover: Turnover, on_point: Point) -> None:
        self._leases = leases
        self._turnover = turnover
        self._on_point = on_point

    def handle(self, lane: Lane, job: Job, task: Task) -> None:
        """Try a job once. A claim that was lost before is left to whoever has it now.

        Whatever happens the lease is let go of, so that it ends; unless the worker is stopping, which hands it back.
        """
        try:
            if self._leases.holds(job):
                self._on_point("claimed")
                settlement = attempt(lane, job, task)
                self._on_point("handled")
                self._settle(settlement)
        except Exception:
            log.exception("worker.failed", extra={"job_id": job.id, "kind": lane.name})
        self._leases.drop(job)

    def _settle(self, settlement: Settlement) -> None:
        """Write it down, however long the store is away, while the claim is ours."""
        while self._leases.holds(settlement.job):
            try:
                if not self._turnover.settle(settlement):
                    log.warning("worker.claim_lost", extra={"job_id": settlement.job.id})
            except StoreRefused:
                raise
            except StoreUnavailable as error:
                log.warning("worker.not_settled", extra={"job_id": settlement.job.id, "reason": str(error)})
                gevent.sleep(SETTLE_AGAIN_SECONDS)
            else:
                self._on_point("settled")
                return


def attempt(lane: Lane, job: Job, task: Task) -> Settlement:
    """How the try ended. A mistake of ours is one more way to fail: it is logged, and the job tried again later."""
    try:
        return task()
    except StoreUnavailable as error:
        log.warning("worker.store_away", extra={"job_id": job.id, "reason": str(error)})
        return Settlement(job, Again(FIRST_PAUSE))
    except Exception as error:
        log.exception("worker.failed", extra={"job_id": job.id, "kind": lane.name, "attempt": job.attempts + 1})
        return Settlement(job, _after_mistake(lane, job, type(error).__name__))


def _after_mistake(lane: Lane, job: Job, name: str) -> Again | Dead:
    if not lane.standing and job.attempts + 1 >= MISTAKES_TO_DIE:
        return Dead(f"wats failed on it with {name}, {MISTAKES_TO_DIE} times")
    return Again(min(FIRST_PAUSE * 2 ** min(job.attempts, 12), LONGEST_PAUSE))
