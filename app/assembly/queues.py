"""The queues of the background worker, each with its handler."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from app.assembly.gateway import fake_meta_of, recorded_statuses
from app.config import Destination, Mode, Settings
from app.delivery.deliver import prepare_deliveries
from app.domain.destination import queue_of_destination
from app.domain.job import (
    FAKE_META_QUEUE,
    PRUNE_QUEUE,
    RECONCILE_QUEUE,
    SPLIT_QUEUE,
    TOKEN_QUEUE,
    WATCH_QUEUE,
    Done,
    Job,
    Outcome,
)
from app.domain.job_result import JobResult
from app.domain.media_file import FETCH_SLOTS, MEDIA_QUEUE
from app.domain.message import queue_of_number
from app.domain.pacing import Pace
from app.domain.send_limits import BATCH, SendLimits
from app.events.split import Splitter
from app.gateway import Gateway
from app.health.watch import Watch
from app.jobs.executor import Failpoint
from app.jobs.leases import Leases
from app.jobs.queue import Prepare, Queue
from app.jobs.runner import JobRunner
from app.media.fetch import Fetcher
from app.messages.check_token import TokenCheck
from app.messages.reconcile import Reconciler
from app.messages.send import Sender
from app.retention.prune import Pruner

FAKE_META_SLOTS = 8


def build_worker(gateway: Gateway, on_failpoint: Failpoint) -> JobRunner:
    """Make the background worker of this process; it serves every queue."""
    worker = gateway.settings.worker
    leases = Leases(gateway.store, timedelta(seconds=worker.lease_seconds))
    return JobRunner(
        gateway.store,
        build_queues(gateway, leases),
        clock=gateway.clock,
        leases=leases,
        slots=worker.threads,
        on_failpoint=on_failpoint,
    )


def build_queues(gateway: Gateway, leases: Leases) -> list[Queue]:
    """Make the queues with their handlers: the singleton jobs, one for each destination, and one for each number."""
    store, settings = gateway.store, gateway.settings
    pruner, watch, reconciler = Pruner(gateway), Watch(gateway), Reconciler(gateway)
    deliveries = partial(prepare_deliveries, gateway=gateway)
    splitter = Splitter(
        store=store,
        metrics=gateway.metrics,
        tracing=gateway.tracing,
        ours=settings.whatsapp.ours,
        destinations=settings.destinations,
        lease=leases.length,
        fetches_media=settings.media.fetch_on_arrival,
        has_outbound_events=bool(recorded_statuses(settings)),
    )
    return [
        Queue(SPLIT_QUEUE, 1, splitter.prepare, has_work=splitter.has_work, singleton=True),
        Queue(PRUNE_QUEUE, 1, _one_by_one(pruner.prune), singleton=True, wakes_on_commit=False),
        Queue(WATCH_QUEUE, 1, _one_by_one(watch.handle), singleton=True, wakes_on_commit=False),
        Queue(RECONCILE_QUEUE, 1, _one_by_one(reconciler.handle), singleton=True, wakes_on_commit=False),
        *_token_queue(gateway),
        *(_delivery_queue(destination, deliveries) for destination in settings.destinations),
        *_send_queues(gateway, leases),
        *([_media_queue(gateway)] if settings.media.fetch_on_arrival else []),
        *([_fake_meta_queue(gateway)] if settings.mode is Mode.DRY_RUN else []),
    ]


def _token_queue(gateway: Gateway) -> list[Queue]:
    """Make the queue of the access token's check. A dry-run has no such token."""
    token = gateway.settings.access_token
    if token is None:
        return []
    check = TokenCheck(gateway, token)
    return [Queue(TOKEN_QUEUE, 1, _one_by_one(check.handle), singleton=True, wakes_on_commit=False)]


def _fake_meta_queue(gateway: Gateway) -> Queue:
    fake = fake_meta_of(gateway)

    def post(job: Job) -> Done:
        fake.post(job.subject)
        return Done()

    return Queue(FAKE_META_QUEUE, FAKE_META_SLOTS, _one_by_one(post))


def _send_queues(gateway: Gateway, leases: Leases) -> list[Queue]:
    """Make a queue for the messages of each number, with its own slots, so that a slow number delays no other."""
    limits = _send_limits(gateway.settings)
    sender = Sender(
        store=gateway.store,
        graph=gateway.graph,
        holds=leases.holds,
        limits=limits,
        clock=gateway.clock,
        jitter=gateway.jitter,
        metrics=gateway.metrics,
        tracing=gateway.tracing,
        contact_label=gateway.contact_label,
    )
    return [
        Queue(
            queue_of_number(number),
            limits.slots,
            sender.prepare,
            has_work=partial(sender.has_work, queue_of_number(number)),
            ordered=True,
            slots=limits.slots,
            max_claim=limits.batch_after,
            rest_seconds=BATCH.total_seconds(),
            undo=sender.take_back,
        )
        for number in gateway.settings.whatsapp.phone_number_ids
    ]


def _media_queue(gateway: Gateway) -> Queue:
    """Make the queue of the files that are fetched on arrival, with slots of its own: large ones delay nothing."""
    fetcher = Fetcher(gateway.store, gateway.graph, gateway.media_folder, gateway.clock, gateway.jitter)
    return Queue(
        MEDIA_QUEUE,
        FETCH_SLOTS,
        fetcher.prepare,
        has_work=fetcher.has_work,
        slots=FETCH_SLOTS,
    )


def _send_limits(settings: Settings) -> SendLimits:
    sending = settings.sending
    return SendLimits(
        per_second=sending.messages_per_second,
        pair=Pace(timedelta(seconds=sending.pair_seconds), sending.pair_burst),
        window_policy=sending.window_policy,
        waba_id=settings.whatsapp.ours.sole_account,
    )


def _delivery_queue(destination: Destination, prepare: Prepare) -> Queue:
    ordered = destination.ordering == "conversation"
    return Queue(
        queue_of_destination(destination.name), destination.max_in_flight, prepare, ordered=ordered, ahead=True
    )


def _one_by_one(handle: Callable[[Job], Outcome]) -> Prepare:
    """Return a `Prepare` that loads nothing: each job is handled by itself."""
    return lambda jobs: [(job, lambda job=job: JobResult(job, handle(job))) for job in jobs]  # type: ignore[misc]
