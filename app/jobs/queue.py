"""A lane as a worker serves it: how its claimed jobs become tasks, and how many may be in flight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.job import Job
from app.domain.job_result import Settlement

Task = Callable[[], Settlement]
"""One try of a job. It makes no transaction of its own last longer than it must, and says how the try ended."""

Prepare = Callable[[Sequence[Job]], Sequence[tuple[Job, Task]]]
"""Loads what claimed jobs need, in one go, and gives a task for each of them."""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Lane:
    """`most`: how many jobs are in flight at best, over all workers. `has_work`: whether a claim is worth a try.

    `standing`: its one job never ends; whatever happens to a try, there is another one. `rung_for`: a commit anywhere
    may give it something to do; else it is only time that does. `ordered`: the end of one job may let another go.
    """

    name: str
    most: int
    prepare: Prepare
    has_work: Callable[[], bool] = _always
    standing: bool = False
    rung_for: bool = True
    ordered: bool = False

    def handle_alone(self, job: Job) -> Settlement:
        """One try of a job for which nothing was loaded together with others."""
        [(_, task)] = self.prepare([job])
        return task()
