"""Turnover: ends of tries are written down together, and the same transaction claims what may take their places."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from app.domain.job import Job
from app.domain.job_result import Settlement
from app.domain.queue import Appetite
from app.jobs.leases import Leases
from app.store import GroupCommit, Take


class Hungry(Protocol):
    """Whoever begins the jobs of a lane."""

    def appetite(self, ended: int) -> Appetite | None:
        """What is wanted when so many have ended. Asked inside a transaction, in a native thread."""
        ...

    def feed(self, jobs: Sequence[Job], wanted: Appetite) -> None:
        """Begin these, which were claimed for it."""
        ...


class Turnover:
    """Settles, and feeds those whose lanes have more to do."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._hungry: dict[str, Hungry] = {}
        self._group: GroupCommit[Settlement, bool] = GroupCommit(self._turn_over)

    def join(self, lane: str, hungry: Hungry) -> None:
        """From now on what is claimed in this lane is for this one."""
        self._hungry[lane] = hungry

    def settle(self, settlement: Settlement) -> bool:
        """Write it down, together with others. False if the claim was lost, so that nothing was changed."""
        return self._group.add(settlement, 1)

    def close(self) -> None:
        """Settle nothing more."""
        self._group.close()

    def _turn_over(self, take: Take[Settlement]) -> list[bool]:
        wanted: dict[str, Appetite] = {}

        def note_wanted(ends: Sequence[Settlement]) -> list[Appetite]:
            wanted.update({each.lane: each for each in self._appetites(ends)})
            return [*wanted.values()]

        applied, jobs = self._leases.turn_over(take, note_wanted)
        claimed = {lane: [*some] for lane, some in groupby(jobs, attrgetter("lane"))}
        for lane, each in wanted.items():
            self._hungry[lane].feed(claimed.get(lane, []), each)
        return applied

    def _appetites(self, ends: Sequence[Settlement]) -> list[Appetite]:
        """In the order of their lanes' names, as everybody locks lanes."""
        ended = Counter(end.job.lane for end in ends if end.job.lane in self._hungry)
        found = [self._hungry[lane].appetite(ended[lane]) for lane in sorted(ended)]
        return [each for each in found if each is not None]
