"""A worker whose tasks behave as asked: `URL BEHAVIOUR [LEASE_SECONDS [POLL_SECONDS]]`. SIGTERM stops it.

It prints the subject of each job that it starts, and `store.unavailable` when the store is away.
"""

import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.fileobject import FileObject

from app.domain.job import SPLIT_QUEUE, Done, Job, Retry
from app.domain.job_result import JobResult
from app.jobs.leases import Leases
from app.jobs.queue import Queue, Task
from app.jobs.runner import JobRunner
from app.store import Store, StoreUnavailable
from tests.support.store import UNHURRIED
from tests.support.work import CRM

EXIT_BROKEN = 70
GRACE_SECONDS, GRACE_SECONDS_WITH_HANGING_JOBS = 600, 3
POISON = 1
"""The subject of the first job, which is the one that fails or hangs."""

attempted: list[int] = []


@cache
def incoming() -> Any:
    """Return the input: who waits for a line of it lets the loop run."""
    return FileObject(sys.stdin.fileno(), "r", close=False)


def report(thing: Any) -> None:
    print(json.dumps(thing), flush=True)


def succeed(job: Job) -> JobResult:
    """Succeed at once."""
    return JobResult(job, Done())


def hang(job: Job) -> JobResult:
    """Never end."""
    gevent.sleep(600)
    return succeed(job)


def hang_on_poison(job: Job) -> JobResult:
    """Never end for one job."""
    return hang(job) if job.subject == POISON else succeed(job)


def wait_for_input(job: Job) -> JobResult:
    """Succeed once a line comes in."""
    incoming().readline()
    return succeed(job)


def fail_on_poison(job: Job) -> JobResult:
    """Raise an internal error for one job."""
    if job.subject == POISON:
        raise ValueError("planted")
    return succeed(job)


def fail_once(job: Job) -> JobResult:
    """Raise an internal error at the first attempt of each job."""
    if attempted.count(job.subject) == 1:
        raise ValueError("planted")
    return JobResult(job, Retry(timedelta(hours=1))) if job.queue == SPLIT_QUEUE else succeed(job)


BEHAVIOURS: dict[str, Callable[[Job], JobResult]] = {
    handle.__name__: handle for handle in (succeed, hang, hang_on_poison, wait_for_input, fail_on_poison, fail_once)
}


def start(handle: Callable[[Job], JobResult], job: Job) -> JobResult:
    attempted.append(job.subject)
    report(job.subject)
    return handle(job)


def prepare(jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
    return [(job, partial(start, handle, job)) for job in jobs]


def prepare_all_but_poison(jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
    """Raise an internal error while one job is loaded, and the jobs that are loaded with it."""
    if any(job.subject == POISON for job in jobs):
        raise ValueError("planted")
    return prepare(jobs, handle)


class UnavailableOnce:
    """The store is unavailable when the first claimed jobs are loaded."""

    was_unavailable = False

    def __call__(self, jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
        if not self.was_unavailable:
            self.was_unavailable = True
            raise StoreUnavailable("planted")
        return prepare(jobs, handle)


def hang_while_loading(jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
    """Never come back to the loop that claims jobs."""
    gevent.sleep(600)
    return prepare(jobs, handle)


PREPARES: dict[str, Any] = {
    "hang_while_loading": hang_while_loading,
    "poison_cannot_be_loaded": prepare_all_but_poison,
    "unavailable_while_loading": UnavailableOnce(),
}


class Unavailable(logging.Handler):
    """Reports that the store is away."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "store.unavailable":
            report(record.getMessage())


def main() -> int:
    return work(*sys.argv[1:])


def work(url: str, behaviour: str, lease_seconds: str = "600", poll_seconds: str = "2") -> int:
    if behaviour == "wait_for_input":
        logging.getLogger("app.store.outage").addHandler(Unavailable())
    store = Store(url, min_free_bytes=0, cooperative=True, limits=UNHURRIED)
    store.open()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    prepare_jobs = partial(PREPARES.get(behaviour, prepare), handle=BEHAVIOURS.get(behaviour, succeed))
    queues = [Queue(SPLIT_QUEUE, 1, prepare_jobs, singleton=True)] if behaviour == "fail_once" else []
    worker = JobRunner(
        store,
        [*queues, Queue(CRM, 8, prepare_jobs)],
        clock=lambda: datetime.now(UTC),
        leases=Leases(store, timedelta(seconds=float(lease_seconds))),
        slots=8,
        on_failpoint=lambda _: None,
        poll_seconds=float(poll_seconds),
    )
    hangs = behaviour.startswith("hang")
    is_sound = worker.run(stop, grace_seconds=GRACE_SECONDS_WITH_HANGING_JOBS if hangs else GRACE_SECONDS)
    store.close()
    return 0 if is_sound else EXIT_BROKEN
