"""Make and settle deliveries as the workers do: through the split job and through claims."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from app.domain.delivery import NewDelivery
from app.domain.destination import queue_of_destination
from app.domain.event import NewEvent
from app.domain.job import SPLIT_QUEUE, Job, Outcome, Retry
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.queue import ClaimRequest
from app.domain.split import SplitEvent, SplitReceipt
from app.store import Store
from tests.support.events import new_event
from tests.support.store import NOON, new_receipt

LEASE = timedelta(seconds=30)
MAX_JOBS = 1000
MAX_BYTES = 1_000_000

_numbers = count()


def split_into(store: Store, *events: SplitEvent, unreadable: str | None = None, body: bytes | None = None) -> str:
    """Receive a webhook (by default with new bytes) and split it into these events; return the receipt's id."""
    store.receipts.add(new_receipt(b"receipt %d" % next(_numbers) if body is None else body))
    [receipt] = store.receipts.pending(limit=1, max_bytes=MAX_BYTES)
    [job] = store.jobs.claim(ClaimRequest(SPLIT_QUEUE, 1, 1), LEASE)
    store.events.add(job, [SplitReceipt(receipt, events, unreadable)], LEASE)
    store.jobs.settle([JobResult(job, Retry(timedelta()))])
    return receipt.id


def put_deliveries(store: Store, *events: NewEvent, to: Sequence[str] = ("crm",)) -> None:
    """Put in events, each with a delivery to each of these destinations."""
    store.queues.ensure(map(queue_of_destination, to))
    split_into(store, *(SplitEvent(event, deliveries=tuple(map(NewDelivery, to))) for event in events))


def put_foreign(store: Store, *events: NewEvent) -> None:
    """Put in foreign events."""
    split_into(store, *(SplitEvent(event, foreign=True) for event in events))


def numbered(size: int) -> list[NewEvent]:
    """Return this many events."""
    return [new_event(number) for number in range(size)]


def claim(store: Store, destination: str = "crm", limit: int = MAX_JOBS) -> list[Job]:
    """Claim the jobs that are due for a destination."""
    return store.jobs.claim(ClaimRequest(queue_of_destination(destination), MAX_JOBS, limit), LEASE)


def settle_all(
    store: Store,
    outcome: Outcome,
    *,
    destination: str = "crm",
    status: int | None = None,
    error: str | None = None,
    signal: QueueSignal = QueueSignal.NONE,
) -> None:
    """Settle one attempt of every job that is due for a destination with this outcome."""
    attempt = Attempt(NOON, status, error, 12)
    store.jobs.settle(
        [JobResult(job, outcome, attempt, signal, max_in_flight=MAX_JOBS) for job in claim(store, destination)],
    )
