"""A worker whose tasks do as it is told: `working.py URL HOW [LEASE_SECONDS [POLL_SECONDS]]`. SIGTERM stops it.

It says the subject of each job that it begins to try, and the event of a settlement that the store did not take.
"""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()  # before anything else is imported

import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.fileobject import FileObject

from app.domain.job import SPLIT_QUEUE, Done, Job, Retry
from app.domain.job_result import JobResult
from app.jobs.queue import Queue, Task
from app.jobs.runner import JobRunner
from app.store import Store, StoreUnavailable
from tests.support.store import UNHURRIED
from tests.support.work import CRM

GRACE_SECONDS, GRACE_SECONDS_FOR_WHAT_HANGS = 600, 3
POISON = 1
"""The subject of the job that was made first; with this one something is wrong."""

incoming = FileObject(sys.stdin.fileno(), "r", close=False)
tries: list[int] = []


def say(thing: Any) -> None:
    sys.stdout.write(json.dumps(thing) + "\n")


def succeed(job: Job) -> JobResult:
    """Well done."""
    return JobResult(job, Done())


def hang(job: Job) -> JobResult:
    """It never ends."""
    gevent.sleep(600)
    return succeed(job)


def hang_on_poison(job: Job) -> JobResult:
    """One never ends."""
    return hang(job) if job.subject == POISON else succeed(job)


def wait_to_be_told(job: Job) -> JobResult:
    """It ends when somebody says so."""
    incoming.readline()
    return succeed(job)


def fail_on_poison(job: Job) -> JobResult:
    """A mistake of ours, with one job only."""
    if job.subject == POISON:
        raise ValueError("planted")
    return succeed(job)


def fail_once(job: Job) -> JobResult:
    """A mistake of ours that is gone at the second try of a job."""
    if tries.count(job.subject) == 1:
        raise ValueError("planted")
    return JobResult(job, Retry(timedelta(hours=1))) if job.queue == SPLIT_QUEUE else succeed(job)


HOWS: dict[str, Callable[[Job], JobResult]] = {
    how.__name__: how for how in (succeed, hang, hang_on_poison, wait_to_be_told, fail_on_poison, fail_once)
}


def begin(handle: Callable[[Job], JobResult], job: Job) -> JobResult:
    tries.append(job.subject)
    say(job.subject)
    return handle(job)


def prepare(jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
    return [(job, partial(begin, handle, job)) for job in jobs]


def prepare_all_but_poison(jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
    """A mistake of ours while jobs are loaded, whoever else is loaded with that one."""
    if any(job.subject == POISON for job in jobs):
        raise ValueError("planted")
    return prepare(jobs, handle)


class AwayOnce:
    """The store goes away between a claim and the loading of what was claimed; then it is back."""

    went = False

    def __call__(self, jobs: Sequence[Job], handle: Callable[[Job], JobResult]) -> list[tuple[Job, Task]]:
        if not self.went:
            self.went = True
            raise StoreUnavailable("planted")
        return prepare(jobs, handle)


PREPARES: dict[str, Any] = {"poison_cannot_be_loaded": prepare_all_but_poison, "away_while_loading": AwayOnce()}


class NotSettled(logging.Handler):
    """Says that the store did not take a settlement."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "worker.not_settled":
            say(record.getMessage())


def main(url: str, how: str, lease_seconds: str = "600", poll_seconds: str = "2") -> None:
    logging.getLogger("app.jobs").addHandler(NotSettled())
    store = Store(url, min_free_bytes=0, cooperative=True, limits=UNHURRIED)
    store.open()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    doing = partial(PREPARES.get(how, prepare), handle=HOWS.get(how, succeed))
    queues = [Queue(SPLIT_QUEUE, 1, doing, singleton=True)] if how == "fail_once" else []
    worker = JobRunner(
        store,
        [*queues, Queue(CRM, 8, doing)],
        clock=lambda: datetime.now(UTC),
        lease=timedelta(seconds=float(lease_seconds)),
        slots=8,
        on_failpoint=lambda _: None,
        poll_seconds=float(poll_seconds),
    )
    worker.run(stop, grace_seconds=GRACE_SECONDS_FOR_WHAT_HANGS if how == "hang" else GRACE_SECONDS)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
