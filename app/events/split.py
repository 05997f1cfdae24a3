"""Splitting: receipts become events, in the order in which they were committed.

There is one job for it, so that one worker splits at a time and an event's sequence follows the commits. Reading an
envelope can fail, and then into a visible state: nothing in a receipt can stop the ones behind it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import gevent

from app.config import Destination
from app.domain.event import NewEvent
from app.domain.job import Job, Retry
from app.domain.job_result import JobResult
from app.domain.meta.parse import Unreadable, split
from app.domain.split import PendingReceipt, SplitCount, SplitEvent, SplitReceipt
from app.domain.subscription import deliveries_of
from app.metrics import Metrics
from app.store import ClaimLost, Store, StoreRefused

log = logging.getLogger(__name__)

RECEIPTS_AT_ONCE = 100
BYTES_AT_ONCE = 4 * 1024 * 1024
EVENTS_AT_ONCE = 500
"""How many events share a transaction, unless one receipt has more: ingest waits while it goes on."""

BATCHES_PER_CLAIM = 50
FEW_RECEIPTS, BATCH_WINDOW_SECONDS = 20, 0.02
"""After a few receipts others have time to come: one transaction for what comes in 20 ms, not one for each."""


@dataclass(frozen=True)
class Splitter:
    """Splits what is pending. `phone_number_ids` are ours: an event of another number is foreign."""

    store: Store
    metrics: Metrics
    phone_number_ids: frozenset[str]
    destinations: tuple[Destination, ...]
    lease: timedelta

    def prepare(self, jobs: Sequence[Job]) -> list[tuple[Job, Callable[[], JobResult]]]:
        """The task of the one job there is."""
        return [(job, lambda job=job: self.split_pending(job)) for job in jobs]  # type: ignore[misc]

    def split_pending(self, job: Job) -> JobResult:
        """Split until nothing is pending, the claim is lost, or it is time to let others have it."""
        try:
            for _ in range(BATCHES_PER_CLAIM):
                receipts = self.store.receipts.pending(limit=RECEIPTS_AT_ONCE, max_bytes=BYTES_AT_ONCE)
                if not receipts:
                    break
                for batch in in_batches([self._split(receipt) for receipt in receipts]):
                    self._keep(job, batch)
                if len(receipts) < FEW_RECEIPTS:
                    gevent.sleep(BATCH_WINDOW_SECONDS)
        except ClaimLost:
            log.warning("split.claim_lost")
        return JobResult(job, Retry(timedelta()))

    def _split(self, receipt: PendingReceipt) -> SplitReceipt:
        try:
            events = split(receipt.body, sha256=receipt.sha256, received_at=receipt.received_at)
            return SplitReceipt(receipt, [self._addressed(event) for event in events])
        except Unreadable as unreadable:
            return SplitReceipt(receipt, unreadable=str(unreadable))
        except Exception as error:
            log.exception("split.failed", extra={"receipt_id": receipt.id})
            return SplitReceipt(receipt, unreadable=f"wats failed on it with {type(error).__name__}")

    def _addressed(self, event: NewEvent) -> SplitEvent:
        deliveries = deliveries_of(event, ours=self.phone_number_ids, subscribers=self.destinations)
        return SplitEvent(event, foreign=deliveries is None, deliveries=deliveries or ())

    def _keep(self, job: Job, batch: Sequence[SplitReceipt]) -> None:
        """Store a batch; one that the database refuses is stored receipt by receipt, to find the one it minds."""
        try:
            counts = self.store.events.add(job, batch, self.lease)
        except StoreRefused as error:
            if len(batch) == 1:
                counts = self.store.events.add(
                    job, [SplitReceipt(batch[0].receipt, unreadable=str(error))], self.lease
                )
            else:
                for receipt in batch:
                    self._keep(job, [receipt])
                return
        for receipt, count in zip(batch, counts, strict=True):
            self._count(receipt, count)

    def _count(self, receipt: SplitReceipt, count: SplitCount) -> None:
        if receipt.unreadable is not None:
            self.metrics.receipt_unreadable()
            log.warning("split.unreadable", extra={"receipt_id": receipt.receipt.id, "reason": receipt.unreadable})
        foreign = min(count.new, sum(event.foreign for event in receipt.events))
        self.metrics.receipt_split(new=count.new, duplicates=count.duplicates, foreign=foreign)


def in_batches(receipts: Sequence[SplitReceipt]) -> Iterator[list[SplitReceipt]]:
    """The receipts in their order, as many together as make no more than `EVENTS_AT_ONCE` events."""
    batch: list[SplitReceipt] = []
    events = 0
    for receipt in receipts:
        if batch and events + len(receipt.events) > EVENTS_AT_ONCE:
            yield batch
            batch, events = [], 0
        batch.append(receipt)
        events += len(receipt.events)
    if batch:
        yield batch
