"""A queue as a worker serves it: how its claimed jobs become tasks, and how many may be in flight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.job import Job
from app.domain.job_result import JobResult

Task = Callable[[], JobResult]
"""One try of a job. It makes no transaction of its own last longer than it must, and says how the try ended."""

Prepare = Callable[[Sequence[Job]], Sequence[tuple[Job, Task]]]
"""Loads what claimed jobs need, in one go, and gives a task for each of them."""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Queue:
    """`max_in_flight`: how many jobs are in flight at best, over all workers. `has_work`: whether a claim is worth a try.

    `singleton`: its one job never ends; whatever happens to a try, there is another one. `wakes_on_commit`: a commit anywhere
    may give it something to do; else it is only time that does. `ordered`: the end of one job may let another go.
    """

    name: str
    max_in_flight: int
    prepare: Prepare
    has_work: Callable[[], bool] = _always
    singleton: bool = False
    wakes_on_commit: bool = True
    ordered: bool = False

    def handle_alone(self, job: Job) -> JobResult:
        """One try of a job for which nothing was loaded together with others."""
        [(_, task)] = self.prepare([job])
        return task()
