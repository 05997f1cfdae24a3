"""SettlementBatcher: ends of tries are written down together, and the same transaction claims what may drain their places."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from app.domain.job import Job
from app.domain.job_result import JobResult
from app.domain.queue import ClaimRequest
from app.jobs.leases import Leases
from app.store import Drain, GroupCommit


class Refillable(Protocol):
    """Whoever begins the jobs of a queue."""

    def next_claim(self, ended: int) -> ClaimRequest | None:
        """What is wanted when so many have ended. Asked inside a transaction, in a native thread."""
        ...

    def start(self, jobs: Sequence[Job], wanted: ClaimRequest) -> None:
        """Begin these, which were claimed for it."""
        ...


class SettlementBatcher:
    """Settles, and feeds those whose queues have more to do."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._refillable: dict[str, Refillable] = {}
        self._group: GroupCommit[JobResult, bool] = GroupCommit(self._turn_over)

    def join(self, queue: str, refillable: Refillable) -> None:
        """From now on what is claimed in this queue is for this one."""
        self._refillable[queue] = refillable

    def settle(self, settlement: JobResult) -> bool:
        """Write it down, together with others. False if the claim was lost, so that nothing was changed."""
        return self._group.add(settlement, 1)

    def close(self) -> None:
        """Settle nothing more."""
        self._group.close()

    def _turn_over(self, drain: Drain[JobResult]) -> list[bool]:
        wanted: dict[str, ClaimRequest] = {}

        def note_wanted(ends: Sequence[JobResult]) -> list[ClaimRequest]:
            wanted.update({each.queue: each for each in self._next_claims(ends)})
            return [*wanted.values()]

        applied, jobs = self._leases.settle_and_claim(drain, note_wanted)
        claimed = {queue: [*some] for queue, some in groupby(jobs, attrgetter("queue"))}
        for queue, each in wanted.items():
            self._refillable[queue].start(claimed.get(queue, []), each)
        return applied

    def _next_claims(self, ends: Sequence[JobResult]) -> list[ClaimRequest]:
        """In the order of their queues' names, as everybody locks queues."""
        ended = Counter(end.job.queue for end in ends if end.job.queue in self._refillable)
        found = [self._refillable[queue].next_claim(ended[queue]) for queue in sorted(ended)]
        return [each for each in found if each is not None]
