"""Work for tests: a clock that they move, events added as the splitter does, jobs claimed and settled."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, select, update

from app.domain.delivery import NewDelivery
from app.domain.destination import queue_of_destination
from app.domain.job import SPLIT_QUEUE, Dead, Done, Job, Retry
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.queue import ClaimRequest
from app.domain.split import PendingReceipt, SplitCount, SplitEvent, SplitReceipt
from app.store import Store
from app.store.tables.schema import heartbeats, jobs, queues
from tests.support.events import new_event
from tests.support.store import NOON, StoreMaker, new_receipt
from tests.support.waiting import wait_for

LEASE = timedelta(seconds=30)
AT_ONCE = timedelta()
CRM = queue_of_destination("crm")

_bodies = count()


class Clock:
    """The time for a store. It moves only by `advance`."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(url: str, make_store: StoreMaker, clock: Clock) -> Store:
    """An open store whose clock is `clock`, on either kind of database. It was migrated by that clock too."""
    store = make_store(url, clock=clock)
    store.write(lambda c: c.execute(update(jobs).where(jobs.c.due_at > clock()).values(due_at=clock())))
    return store


def split_event(
    name: object = "hi",
    *,
    to: Sequence[str] = ("crm",),
    order_key: int | None = None,
    foreign: bool = False,
    kind: str = "message.text",
) -> SplitEvent:
    """Return an event as the splitter finds it, with a delivery to each of these destinations if it is new."""
    deliveries = tuple(NewDelivery(destination, order_key) for destination in to)
    return SplitEvent(new_event(name, kind=kind), foreign, () if foreign else deliveries)


def receive(store: Store, receipts: int = 1) -> list[PendingReceipt]:
    """Add pending receipts, and return all that are pending."""
    new = [new_receipt(b"%d" % next(_bodies)) for _ in range(receipts)]
    store.receipts.add_all(new)
    return store.receipts.pending(limit=10_000, max_bytes=1_000_000)


def claim_split(store: Store) -> Job:
    """Claim the split job."""
    [job] = store.jobs.claim(ClaimRequest(SPLIT_QUEUE, 1, 1), LEASE)
    return job


def add_events(store: Store, *events: SplitEvent) -> SplitCount:
    """Add these events, found in a receipt of their own."""
    [receipt] = receive(store)
    job = claim_split(store)
    [counted] = store.events.add(job, [SplitReceipt(receipt, events)], LEASE)
    store.jobs.settle([JobResult(job, Retry(AT_ONCE))])
    return counted


def claim(store: Store, queue: str = CRM, *, max_in_flight: int = 8, limit: int = 100) -> list[Job]:
    """Claim what can be claimed now."""
    return store.jobs.claim(ClaimRequest(queue, max_in_flight, limit), LEASE)


def answered(status: int | None = 200, *, error: str | None = None, at: datetime = NOON) -> Attempt:
    """Return an attempt: a POST and its answer."""
    return Attempt(at, status, error, 12)


def done(job: Job, *, max_in_flight: int = 8) -> JobResult:
    """Return the result of a job that was delivered."""
    return JobResult(job, Done(), answered(200), QueueSignal.SUCCESS, max_in_flight=max_in_flight)


def retry(
    job: Job, after: timedelta = LEASE, *, retry_after: timedelta | None = None, max_in_flight: int = 8
) -> JobResult:
    """Return the result of a job whose destination failed."""
    return JobResult(job, Retry(after), answered(503), QueueSignal.FAILURE, retry_after, max_in_flight)


def dead(job: Job) -> JobResult:
    """Return the result of a job that is dead, after an answer that says nothing about the queue."""
    return JobResult(job, Dead("tried for 3 days"), answered(400))


def put_times_ahead(store: Store, by: timedelta) -> None:
    """Leave the times behind that a clock would have stored that was ahead by so much, and is right now.

    It waits until no job is claimed: a settlement stores a new time, so that nothing would be ahead any more.
    """
    times = [(jobs, "due_at"), (queues, "open_until"), (queues, "last_error_at"), (heartbeats, "at")]

    def put(connection: Connection) -> bool:
        claims = connection.execute(select(jobs.c.claim_id).order_by(jobs.c.id).with_for_update()).scalars().all()
        if any(claim is not None for claim in claims):
            return False
        for table, name in times:
            [key], column = table.primary_key.columns, table.c[name]
            rows = connection.execute(select(key, column).where(column.is_not(None)).order_by(key).with_for_update())
            for row_key, stored in rows.all():
                connection.execute(update(table).where(key == row_key).values({name: stored + by}))
        return True

    wait_for(lambda: store.write(put))


def subjects(claimed: Sequence[Job]) -> list[int]:
    """Return the rows that the jobs are about."""
    return [job.subject for job in claimed]
