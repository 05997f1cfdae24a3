"""Split receipts into events, in the order in which the receipts were committed.

A singleton job does it: one worker splits at a time, so that `sequence` follows the commits. A receipt that cannot be
read is marked unreadable, and the receipts after it are split as usual.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import gevent

from app.config import Destination
from app.domain.event import NewEvent
from app.domain.job import Job, Retry
from app.domain.job_result import JobResult
from app.domain.meta.media import media_in
from app.domain.meta.parse import Unreadable, plain_forms, split
from app.domain.meta.status_update import tracker_in, with_tracker
from app.domain.outbound_event import event_of_change
from app.domain.split import PendingReceipt, SplitCount, SplitEvent, SplitReceipt
from app.domain.subscription import Ours, deliveries_of
from app.metrics import Metrics
from app.store import ClaimLost, Store, StoreRefused
from app.tracing import Span, Tracing

log = logging.getLogger(__name__)

MAX_RECEIPTS_PER_READ = 100
MAX_BYTES_PER_READ = 4 * 1024 * 1024
MAX_EVENTS_PER_TRANSACTION = 500
"""Events in one transaction; a single receipt may have more. Webhooks wait for the write lock that it holds."""

MAX_READS_PER_CLAIM = 50
"""After this many reads the job is settled and due again, so that it does not occupy a slot without end."""

SMALL_READ, BATCH_WINDOW_SECONDS = 20, 0.02
"""After a read of fewer than 20 receipts, pause 20 ms: receipts that come meanwhile share one transaction."""


@dataclass
class Splitter:
    """Splits pending receipts. An event of an account or a number that is not in `ours` is foreign.

    `has_looked_back`: changes that only newer code can read, as after a roll-back, are in the log.
    """

    store: Store
    metrics: Metrics
    ours: Ours
    destinations: tuple[Destination, ...]
    lease: timedelta
    fetches_media: bool = False
    has_outbound_events: bool = False
    tracing: Tracing = field(default_factory=Tracing)
    has_looked_back: bool = False

    def prepare(self, jobs: Sequence[Job]) -> list[tuple[Job, Callable[[], JobResult]]]:
        """Return each job with its task. There is one split job."""
        return [(job, lambda job=job: self.split_pending(job)) for job in jobs]  # type: ignore[misc]

    def split_pending(self, job: Job) -> JobResult:
        """Split until nothing is pending, the claim is lost, or MAX_READS_PER_CLAIM is reached."""
        try:
            for _ in range(MAX_READS_PER_CLAIM):
                published = self._publish_changes(job) if self.has_outbound_events else 0
                receipts = self.store.receipts.pending(limit=MAX_RECEIPTS_PER_READ, max_bytes=MAX_BYTES_PER_READ)
                if not receipts and not published:
                    break
                self._split_all(job, receipts)
                if len(receipts) < SMALL_READ:
                    gevent.sleep(BATCH_WINDOW_SECONDS)
        except ClaimLost:
            log.warning("split.claim_lost")
        return JobResult(job, Retry(timedelta()))

    def _split_all(self, job: Job, receipts: Sequence[PendingReceipt]) -> None:
        """Split these receipts. Each has a span, which the deliveries of its events follow."""
        begun = [self._begin(receipt) for receipt in receipts]
        try:
            for batch in in_batches(self._with_trackers([self._split(receipt) for receipt, _ in begun])):
                self._store_batch(job, batch)
        finally:
            for receipt, span in begun:
                span.end({"receipt_id": receipt.id})

    def _begin(self, receipt: PendingReceipt) -> tuple[PendingReceipt, Span]:
        span = self.tracing.step("split", receipt.trace)
        return (receipt if span.context is receipt.trace else replace(receipt, trace=span.context)), span

    def has_work(self) -> bool:
        """Return whether a receipt is pending, or a change of a message that is to become an event."""
        return self.store.receipts.has_pending() or (self.has_outbound_events and self.store.outbound.has_pending())

    def _publish_changes(self, job: Job) -> int:
        """Make events of the next changes of messages, and return how many."""
        if not self.has_looked_back:
            self._look_back()
        changes = self.store.outbound.pending(MAX_EVENTS_PER_TRANSACTION)
        if not changes:
            return 0
        accounts = self._accounts({change.phone_number_id for change in changes.values()})
        events = {
            row: replace(event_of_change(change), waba_id=accounts.get(change.phone_number_id))
            for row, change in changes.items()
        }
        published = {row: self._with_deliveries(event) for row, event in events.items()}
        try:
            return self.store.outbound.publish(job, published, self.lease)
        except StoreRefused:
            return sum(self._publish_alone(job, row, event) for row, event in published.items())

    def _accounts(self, numbers: Collection[str]) -> Mapping[str, str]:
        """Return the accounts of those of these numbers whose account is known and ours."""
        if (sole := self.ours.sole_account) is not None:
            return dict.fromkeys(numbers, sole)
        known = self.store.outbound.accounts(numbers)
        return {number: account for number, account in known.items() if account in self.ours.waba_ids}

    def _look_back(self) -> None:
        """Log which changes have a status of newer code. They wait for it, and hold up no others."""
        for status, count in self.store.outbound.unreadable().items():
            log.warning("split.changes_parked", extra={"status": status, "events": count})
        self.has_looked_back = True

    def _publish_alone(self, job: Job, row: int, event: SplitEvent) -> int:
        """Publish one change. One that the database refuses is left out, so that it holds up no other."""
        try:
            return self.store.outbound.publish(job, {row: event}, self.lease)
        except StoreRefused as error:
            log.error("split.change_refused", extra={"event_id": event.event.id, "reason": str(error)})
            return self.store.outbound.publish(job, {row: None}, self.lease)

    def _split(self, receipt: PendingReceipt) -> SplitReceipt:
        try:
            events = split(receipt.body, sha256=receipt.sha256, received_at=receipt.received_at)
            return SplitReceipt(receipt, [self._with_deliveries(event) for event in events])
        except Unreadable as unreadable:
            return SplitReceipt(receipt, unreadable=str(unreadable))
        except Exception as error:
            log.exception("split.failed", extra={"receipt_id": receipt.id})
            return SplitReceipt(receipt, unreadable=f"internal error: {type(error).__name__}")

    def _with_trackers(self, split: Sequence[SplitReceipt]) -> Sequence[SplitReceipt]:
        """Return the receipts with the clients' own trackers in the statuses of messages, in the place of ours."""
        ours = [tracker for receipt in split for event in receipt.events if (tracker := tracker_in(event.event))]
        if not ours:
            return split
        known = self.store.messages.trackers({tracker.message for tracker in ours})
        return [
            replace(receipt, events=[replace(each, event=with_tracker(each.event, known)) for each in receipt.events])
            for receipt in split
        ]

    def _with_deliveries(self, event: NewEvent) -> SplitEvent:
        deliveries = deliveries_of(event, ours=self.ours, subscribers=self.destinations)
        is_foreign = deliveries is None
        media = tuple(media_in(event.raw)) if self.fetches_media and not is_foreign else ()
        return SplitEvent(event, is_foreign, deliveries or (), media)

    def _store_batch(self, job: Job, batch: Sequence[SplitReceipt]) -> None:
        """Store a batch. If the database refuses it, store its receipts one by one, without what it refuses."""
        try:
            self._add(job, batch)
        except StoreRefused:
            if len(batch) == 1:
                self._store_without_refused(job, batch[0])
            else:
                for receipt in batch:
                    self._store_batch(job, [receipt])

    def _store_without_refused(self, job: Job, receipt: SplitReceipt) -> None:
        """Store a receipt with a plain form of each event that the database refuses; if that fails, mark it."""
        try:
            self._add(job, [replace(receipt, events=self._accepted(job, receipt, receipt.events))])
        except StoreRefused as error:
            self._add(job, [SplitReceipt(receipt.receipt, unreadable=str(error))])

    def _accepted(self, job: Job, receipt: SplitReceipt, events: Sequence[SplitEvent]) -> list[SplitEvent]:
        """Return the events, with a plain form in place of each that the database refuses. They are found by halving,
        in a transaction for each step, so that webhooks do not wait for all of it."""
        if not events or self.store.events.accepts(job, replace(receipt, events=events), self.lease):
            return list(events)
        if len(events) == 1:
            return [self._plain(job, receipt, events[0])]
        middle = len(events) // 2
        return [event for half in (events[:middle], events[middle:]) for event in self._accepted(job, receipt, half)]

    def _plain(self, job: Job, receipt: SplitReceipt, refused: SplitEvent) -> SplitEvent:
        """Return the fullest form of the event that the database accepts. A foreign event stays foreign."""
        log.warning("split.event_refused", extra={"receipt_id": receipt.receipt.id, "event_id": refused.event.id})
        fuller, barest = (
            SplitEvent(plain, foreign=True) if refused.foreign else self._with_deliveries(plain)
            for plain in plain_forms(refused.event, receipt.receipt.received_at)
        )
        return fuller if self.store.events.accepts(job, replace(receipt, events=[fuller]), self.lease) else barest

    def _add(self, job: Job, batch: Sequence[SplitReceipt]) -> None:
        counts = self.store.events.add(job, batch, self.lease, self.ours.sole_account)
        for receipt, count in zip(batch, counts, strict=True):
            self._count(receipt, count)

    def _count(self, receipt: SplitReceipt, count: SplitCount) -> None:
        if receipt.unreadable is not None:
            self.metrics.receipt_unreadable()
            log.warning("split.unreadable", extra={"receipt_id": receipt.receipt.id, "reason": receipt.unreadable})
        foreign = min(count.new, sum(event.foreign for event in receipt.events))
        self.metrics.receipt_split(count, foreign=foreign)


def in_batches(receipts: Sequence[SplitReceipt]) -> Iterator[list[SplitReceipt]]:
    """Yield the receipts in their order, in batches of at most MAX_EVENTS_PER_TRANSACTION events."""
    batch: list[SplitReceipt] = []
    events = 0
    for receipt in receipts:
        if batch and events + len(receipt.events) > MAX_EVENTS_PER_TRANSACTION:
            yield batch
            batch, events = [], 0
        batch.append(receipt)
        events += len(receipt.events)
    if batch:
        yield batch
