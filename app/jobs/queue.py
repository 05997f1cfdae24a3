"""A queue as a worker serves it: how its claimed jobs become tasks, and how many may be in flight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.job import Job
from app.domain.job_result import JobResult

Task = Callable[[], JobResult]
"""One attempt at a job. It runs outside any transaction and returns what the store is to record."""

Undo = Callable[[Sequence[Job]], None]
"""Takes back what a `Prepare` has stored. It may raise `StoreError`, and is then called again."""

Prepare = Callable[[Sequence[Job]], Sequence[tuple[Job, Task]]]
"""Loads what claimed jobs need, all at once, and returns a task for each job that it has not handed back."""


def _always() -> bool:
    return True


def nothing(_jobs: Sequence[Job]) -> None:
    """Undo nothing: most jobs are only loaded when they are prepared."""


@dataclass(frozen=True)
class Queue:
    """The properties of a queue that its dispatcher needs.

    - `max_in_flight`: how many jobs may be in flight, over all workers. A claimed job occupies one of these slots;
      the jobs of a slot are handled one after the other.
    - `has_work`: whether a claim could return anything; asked before each claim.
    - `singleton`: the queue has one job, which is never deleted. After each attempt another one follows.
    - `wakes_on_commit`: check the queue after every commit; otherwise only on its timer.
    - `ordered`: a finished job may make the next one with its ordering key due.
    - `slots`: how many jobs one worker handles at a time, if it is not the worker's own number.
    - `max_claim`: how many of them a claim takes, by the seconds since the last one.
    - `rest_seconds`: how long the queue is not looked at after a claim that took all that was due.
    - `ahead`: while there is a backlog, claim more jobs than are in flight, and settle each while the next one is in
      flight. For jobs that take milliseconds and may be done twice.
    - `undo`: take back what `prepare` has stored about claimed jobs, of those whose task has not had an effect yet.
    """

    name: str
    max_in_flight: int
    prepare: Prepare
    has_work: Callable[[], bool] = _always
    singleton: bool = False
    wakes_on_commit: bool = True
    ordered: bool = False
    slots: int | None = None
    max_claim: Callable[[float], int] | None = None
    rest_seconds: float = 0.02
    ahead: bool = False
    undo: Undo = nothing

    def handle_alone(self, job: Job) -> JobResult:
        """Prepare this job alone and run its task."""
        [(_, task)] = self.prepare([job])
        return task()
