"""What an executor does with an answer of the store that is not the expected one."""

from dataclasses import replace
from typing import Any, cast

import pytest

from app.domain.job import Dead, Done, Job, Retry
from app.domain.job_result import JobResult
from app.jobs import executor
from app.jobs.executor import MAX_INTERNAL_ERRORS, Executor
from app.jobs.queue import Queue
from app.store import Store, StoreError, StoreRefused, StoreUnavailable

QUEUE = Queue("deliver:crm", 1, lambda _: [])
DOWN = StoreUnavailable("the database is locked")


class Leases:
    """Every claim is held until it is dropped."""

    def __init__(self) -> None:
        self.dropped: list[Job] = []
        self.handed_back: list[Job] = []
        self.answers: list[StoreError] = []

    def holds(self, job: Job) -> bool:
        return job not in self.dropped

    def drop(self, job: Job) -> None:
        self.dropped.append(job)

    def hand_back(self, jobs: list[Job]) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.handed_back += jobs


class Settlements:
    """Answers what it is told to, and then that a job is settled."""

    def __init__(self) -> None:
        self.answers: list[StoreError] = []
        self.settled: list[JobResult] = []

    def add(self, result: JobResult, _: int) -> bool:
        if self.answers:
            raise self.answers.pop(0)
        self.settled.append(result)
        return True


@pytest.fixture
def settlements() -> Settlements:
    return Settlements()


@pytest.fixture
def leases() -> Leases:
    return Leases()


@pytest.fixture
def executing(leases: Leases, settlements: Settlements) -> Executor:
    store = Store("sqlite:///none", min_free_bytes=0, cooperative=False)
    return Executor(store, cast(Any, leases), cast(Any, settlements), lambda _: None)


class LateResult(JobResult):
    """One that is recorded whichever worker has the job."""

    outlives_claim = True


def job_of(number: int = 1, *, attempts: int = 0) -> Job:
    return Job(number, QUEUE.name, number, attempts, 1)


def raising(error: StoreError) -> Any:
    def task() -> JobResult:
        raise error

    return task


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_what_the_database_refuses_counts_as_an_attempt_and_is_given_up_in_the_end(
    executing: Executor, settlements: Settlements
) -> None:
    executing.handle(QUEUE, job_of(attempts=MAX_INTERNAL_ERRORS - 1), raising(StoreRefused("no")))

    [result] = settlements.settled
    assert result.outcome == Dead(f"internal error StoreRefused after {MAX_INTERNAL_ERRORS} attempts")


def test_a_store_that_is_away_is_no_fault_of_the_job(executing: Executor, settlements: Settlements) -> None:
    executing.handle(QUEUE, job_of(attempts=MAX_INTERNAL_ERRORS - 1), raising(DOWN))

    [result] = settlements.settled
    assert result.outcome == Retry(executor.FIRST_PAUSE)


def test_a_settlement_that_the_database_refuses_is_not_repeated(
    executing: Executor, settlements: Settlements, caplog: pytest.LogCaptureFixture
) -> None:
    settlements.answers = [StoreRefused("no")]

    executing.handle(QUEUE, job_of(), lambda: JobResult(job_of(), Done()))

    assert settlements.settled == []
    assert lines(caplog) == ["worker.failed"]


def test_results_are_settled_again_until_the_store_is_back(
    executing: Executor, settlements: Settlements, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        settlements.answers = [DOWN, DOWN]
        executing.handle(QUEUE, job_of(number), lambda number=number: JobResult(job_of(number), Done()))

    assert lines(caplog) == ["store.unavailable"]
    assert [result.job.id for result in settlements.settled] == [1, 2]


@pytest.mark.parametrize(("is_reserved", "handed_back"), [(True, 1), (False, 0)])
def test_a_job_whose_lease_is_over_is_not_started_and_handed_back_if_it_was_reserved(
    executing: Executor, leases: Leases, settlements: Settlements, is_reserved: bool, handed_back: int
) -> None:
    queue = replace(QUEUE, undo=lambda _: None) if is_reserved else QUEUE
    started: list[Job] = []
    leases.dropped, leases.answers = [job_of()], [DOWN]

    assert executing.handle(queue, job_of(), lambda: started.append(job_of()) or JobResult(job_of(), Done())) is None  # type: ignore[func-returns-value]

    assert (started, leases.handed_back, settlements.settled) == ([], handed_back * [job_of()], [])


@pytest.mark.parametrize(("kind", "count"), [(JobResult, 0), (LateResult, 1)])
def test_what_became_of_a_post_is_recorded_although_its_lease_is_over(
    executing: Executor, leases: Leases, settlements: Settlements, kind: type[JobResult], count: int
) -> None:
    def task() -> JobResult:
        leases.dropped.append(job_of())
        settlements.answers = [DOWN]
        return kind(job_of(), Done())

    executing.handle(QUEUE, job_of(), task)

    assert len(settlements.settled) == count


def test_what_was_prepared_is_undone_after_an_internal_error(executing: Executor) -> None:
    undone: list[Job] = []
    queue = Queue("deliver:crm", 1, lambda _: [], undo=undone.extend)

    executing.handle(queue, job_of(), raising(StoreRefused("no")))

    assert undone == [job_of()]
