"""Assembly: the only place that knows dry-run from live and SQLite from PostgreSQL, and makes the parts."""

import gc
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from gevent import monkey

from app.config import Destination, Mode, Settings
from app.delivery.deliver import prepare_deliveries
from app.destinations import Destinations, MayReach
from app.domain.destination import queue_of_destination
from app.domain.job import PRUNE_QUEUE, SPLIT_QUEUE, Job, Outcome
from app.domain.job_result import JobResult
from app.events.split import Splitter
from app.gateway import Gateway
from app.jobs.executor import Failpoint
from app.jobs.queue import Prepare, Queue
from app.jobs.runner import JobRunner
from app.metrics import Metrics
from app.retention.prune import Pruner
from app.store import Store

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024


def build_gateway(settings: Settings) -> Gateway:
    """The parts for one process; nothing is opened yet. In a gevent web process the store is cooperative."""
    store = Store(
        settings.storage.url,
        min_free_bytes=settings.storage.min_free_megabytes * MEGABYTE,
        cooperative=monkey.is_module_patched("threading"),
        on_broken=_end_this_process,
    )
    return Gateway(
        settings=settings,
        store=store,
        clock=_now,
        metrics=Metrics(),
        destinations=Destinations(_may_reach(settings), _now),
        jitter=random.random,
    )


def tune_runtime() -> None:
    """Get this process ready for a long life: what is loaded now stays, and a native thread gets its turn sooner."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(0.001)


def build_worker(gateway: Gateway, on_failpoint: Failpoint) -> JobRunner:
    """The background worker of this process: it serves every queue there is."""
    worker = gateway.settings.worker
    return JobRunner(
        gateway.store,
        build_queues(gateway),
        clock=gateway.clock,
        lease=timedelta(seconds=worker.lease_seconds),
        slots=worker.threads,
        on_failpoint=on_failpoint,
    )


def build_queues(gateway: Gateway) -> list[Queue]:
    """What each queue's jobs are handled by: splitting, pruning, and delivering to each destination."""
    store, settings = gateway.store, gateway.settings
    pruner, deliveries = Pruner(gateway), partial(prepare_deliveries, parts=gateway)
    splitter = Splitter(
        store=store,
        metrics=gateway.metrics,
        phone_number_ids=frozenset(settings.whatsapp.phone_number_ids),
        destinations=settings.destinations,
        lease=timedelta(seconds=settings.worker.lease_seconds),
    )
    return [
        Queue(SPLIT_QUEUE, 1, splitter.prepare, has_work=store.receipts.has_pending, singleton=True),
        Queue(PRUNE_QUEUE, 1, _each(pruner.prune), singleton=True, wakes_on_commit=False),
        *(_queue_to(each, deliveries) for each in settings.destinations),
    ]


def _queue_to(destination: Destination, prepare: Prepare) -> Queue:
    ordered = destination.ordering == "conversation"
    return Queue(queue_of_destination(destination.name), destination.max_in_flight, prepare, ordered=ordered)


def _each(handle: Callable[[Job], Outcome]) -> Prepare:
    """The tasks of jobs that need nothing to be loaded: each is handled, and ends as it says."""
    return lambda jobs: [(job, lambda job=job: JobResult(job, handle(job))) for job in jobs]  # type: ignore[misc]


def _may_reach(settings: Settings) -> MayReach:
    """Which addresses are pushed to: in a dry-run those of this machine, unless it was told to push."""
    if settings.mode is Mode.LIVE or settings.push_anywhere:
        return lambda _: True
    return lambda address: address.is_loopback


def _now() -> datetime:
    return datetime.now(UTC)


def _end_this_process() -> None:
    """Stop in order, so that the 503 still goes out; whoever started this process starts one that reads anew."""
    log.error("store.broken", extra={"reason": "an I/O error, or a damaged or moved file; this process ends"})
    os.kill(os.getpid(), signal.SIGTERM)
