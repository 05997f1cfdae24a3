"""Adds each kind of queue's own steps to settling its jobs. A new kind of queue is a new row of `QUEUE_KINDS`."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.domain.job import DELIVER_KIND, DELIVER_QUEUE, kind_of_queue
from app.domain.media_file import MEDIA_QUEUE
from app.domain.message import SEND_KIND
from app.domain.timestamps import iso
from app.store.engine.write import Channel
from app.store.tables.delivery_progress import record_attempts
from app.store.tables.queue_health import QueueChange
from app.store.transactions.follow_media import record_fetches
from app.store.transactions.record_late_sends import record_late_sends
from app.store.transactions.record_sends import record_sends
from app.store.transactions.settle_jobs import RecordAll, RecordResults

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueKind:
    """`record_results` runs in the settling transaction; `log_change` after its commit, for each changed queue.

    `record_all` runs there instead if claims of some results were lost. `channels`: those to notify when its jobs are
    settled.
    """

    record_results: RecordResults
    log_change: Callable[[QueueChange], None]
    record_all: RecordAll | None = None
    channels: tuple[Channel, ...] = ()


def log_changes(kinds: Mapping[str, QueueKind], changes: Iterable[QueueChange]) -> None:
    """Log what a committed transaction changed about its queues."""
    for change in changes:
        if (kind := kinds.get(kind_of_queue(change.after.name))) is not None:
            kind.log_change(change)


def log_destination_change(change: QueueChange) -> None:
    """Write one line when deliveries to a destination are stopped, and one when they are started again."""
    before, after = change.before, change.after
    fields = {"destination": after.name.removeprefix(DELIVER_QUEUE), "last_error": after.last_error}
    if after.disabled and not before.disabled:
        log.error("destination.disabled", extra=fields)
    if after.breaker.open_until is not None and not before.breaker.is_open:
        log.warning("destination.opened", extra={**fields, "until": iso(after.breaker.open_until)})
    if before.breaker.is_open and not after.breaker.is_open:
        log.info("destination.closed", extra=fields)


def log_number_change(change: QueueChange) -> None:
    """Write one line when a number's messages are held back because Meta is not reached, and one when it is again."""
    before, after = change.before, change.after
    fields = {"queue": after.name, "last_error": after.last_error}
    if after.breaker.open_until is not None and not before.breaker.is_open:
        log.warning("sending.held_back", extra={**fields, "until": iso(after.breaker.open_until)})
    if before.breaker.is_open and not after.breaker.is_open:
        log.info("sending.goes_on", extra=fields)


def log_media_change(change: QueueChange) -> None:
    """Write one line when files are not fetched because each attempt fails, and one when they are again."""
    before, after = change.before, change.after
    if after.breaker.open_until is not None and not before.breaker.is_open:
        fields = {"last_error": after.last_error, "until": iso(after.breaker.open_until)}
        log.warning("media.held_back", extra=fields)
    if before.breaker.is_open and not after.breaker.is_open:
        log.info("media.goes_on")


QUEUE_KINDS = {
    DELIVER_KIND: QueueKind(record_attempts, log_destination_change),
    SEND_KIND: QueueKind(record_sends, log_number_change, record_late_sends, ("messages",)),
    MEDIA_QUEUE: QueueKind(record_fetches, log_media_change),
}
