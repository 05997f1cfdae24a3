"""The composition root: the only place that knows dry-run or live and SQLite or PostgreSQL, and makes the gateway."""

import gc
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import gevent

from app.config import Destination, Mode, Settings, owner_of
from app.delivery.deliver import prepare_deliveries
from app.destinations import Destinations, MayReach
from app.domain.destination import queue_of_destination
from app.domain.job import FAKE_META_QUEUE, PRUNE_QUEUE, RECONCILE_QUEUE, SPLIT_QUEUE, WATCH_QUEUE, Done, Job, Outcome
from app.domain.job_result import JobResult
from app.domain.media_file import FETCH_SLOTS, MEDIA_QUEUE
from app.domain.message import MessageStatus, queue_of_number
from app.domain.meta.signature import signed_with
from app.domain.outbound_event import asked_for
from app.domain.pacing import Pace
from app.domain.send_limits import BATCH, SendLimits
from app.events.split import Splitter
from app.gateway import Gateway
from app.gevent_patch import is_patched
from app.graph import GraphClient
from app.graph.call import GraphApi
from app.health.watch import Watch
from app.jobs.executor import Failpoint
from app.jobs.leases import Leases
from app.jobs.queue import Prepare, Queue
from app.jobs.runner import JobRunner
from app.media.fetch import Fetcher
from app.messages.reconcile import Reconciler
from app.messages.send import Sender
from app.metrics import Metrics
from app.retention.prune import Pruner
from app.startup import counter_folder
from app.store import Store
from app.store.media_folder import MediaFolder
from app.webhook.receive import receive

if TYPE_CHECKING:
    from app.graph.fake.stored import StoredFake

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
MEDIA_MARGIN = 1024 * MEGABYTE
"""More stays free below files that customers send than webhooks need: no stranger's files may stop the webhooks."""

FAKE_META_SLOTS = 8


def build_gateway(settings: Settings) -> Gateway:
    """Make the gateway of a process; nothing is opened yet. After gevent's monkey patch the store is cooperative."""
    store = Store(
        settings.storage.url,
        source=settings.storage.source,
        owner=owner_of(settings),
        min_free_bytes=settings.storage.min_free_megabytes * MEGABYTE,
        cooperative=is_patched(),
        on_broken=_stop_this_process,
        recorded=_recorded_statuses(settings),
    )
    return Gateway(
        settings=settings,
        store=store,
        clock=_now,
        metrics=Metrics(counter_folder.entered()),
        destinations=Destinations(_may_reach(settings), _now),
        jitter=random.random,
        media_folder=MediaFolder(
            settings.media.directory,
            settings.storage.min_free_megabytes * MEGABYTE + MEDIA_MARGIN,
            lambda: store.identity().id,
        ),
        make_graph=_graph_of,
    )


def _recorded_statuses(settings: Settings) -> frozenset[MessageStatus]:
    """Return the statuses of messages whose events a destination asks for, or are kept for readers that pull."""
    pushed = [glob for one in settings.destinations if one.format == "events" for glob in one.types]
    return asked_for([*pushed, *settings.sending.events])


def tune_runtime() -> None:
    """Tune the interpreter for a long-running process, after everything is imported."""
    gc.freeze()  # what is loaded now stays: the collector need not look at it again
    sys.setswitchinterval(0.001)  # a native thread gets the interpreter lock sooner


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
        ours=settings.whatsapp.ours,
        destinations=settings.destinations,
        lease=leases.length,
        fetches_media=settings.media.fetch_on_arrival,
        has_outbound_events=bool(_recorded_statuses(settings)),
    )
    return [
        Queue(SPLIT_QUEUE, 1, splitter.prepare, has_work=splitter.has_work, singleton=True),
        Queue(PRUNE_QUEUE, 1, _one_by_one(pruner.prune), singleton=True, wakes_on_commit=False),
        Queue(WATCH_QUEUE, 1, _one_by_one(watch.handle), singleton=True, wakes_on_commit=False),
        Queue(RECONCILE_QUEUE, 1, _one_by_one(reconciler.handle), singleton=True, wakes_on_commit=False),
        *(_delivery_queue(destination, deliveries) for destination in settings.destinations),
        *_send_queues(gateway, leases),
        *([_media_queue(gateway)] if settings.media.fetch_on_arrival else []),
        *([_fake_meta_queue(gateway)] if settings.mode is Mode.DRY_RUN else []),
    ]


def _graph_of(gateway: Gateway) -> GraphApi:
    """Return the client of the Graph API; in a dry-run that of the fake Meta."""
    graph, token = gateway.settings.graph, gateway.settings.access_token
    if gateway.settings.mode is Mode.DRY_RUN:
        return fake_meta_of(gateway).client
    assert token is not None, "a live profile has an access token"
    return GraphClient(graph.base_url, graph.api_version, token.current, gateway.clock)


def fake_meta_of(gateway: Gateway) -> "StoredFake":
    """Return the Meta of a dry-run: it stands in for the Graph API, and its webhooks come through our own door."""
    from app.graph.fake.accounts import Accounts, Number  # a live gateway never imports the fake
    from app.graph.fake.stored import StoredFake

    settings = gateway.settings
    accounts = Accounts(
        numbers=tuple(Number(number, settings.whatsapp.waba_id) for number in settings.whatsapp.phone_number_ids),
        app_secret=settings.webhook.app_secret.current,
        version=settings.graph.api_version,
    )
    receive_own, switches = partial(_receive_own_webhook, gateway), dict(settings.fake_meta)
    return StoredFake(accounts, gateway.store.fake_meta, gateway.clock, receive_own, gevent.sleep, switches)


def _receive_own_webhook(gateway: Gateway, body: bytes, signature: str) -> None:
    """Take a webhook of the fake Meta as one of Meta's is taken; without a right signature it is refused."""
    signer = signed_with(body, signature, gateway.settings.webhook.app_secret.active)
    if signer is not None:
        receive(body, signer, gateway)


def _fake_meta_queue(gateway: Gateway) -> Queue:
    fake = fake_meta_of(gateway)

    def post(job: Job) -> Done:
        fake.post(job.subject)
        return Done()

    return Queue(FAKE_META_QUEUE, FAKE_META_SLOTS, _one_by_one(post))


def _send_queues(gateway: Gateway, leases: Leases) -> list[Queue]:
    """Make a queue for the messages of each number, with slots of its own: a number that waits delays no other."""
    limits = _send_limits(gateway.settings)
    sender = Sender(
        store=gateway.store,
        graph=gateway.graph,
        holds=leases.holds,
        limits=limits,
        clock=gateway.clock,
        jitter=gateway.jitter,
        metrics=gateway.metrics,
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
    """Make the queue of the files that are fetched on arrival, with slots of its own: a large one delays nothing."""
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


def _may_reach(settings: Settings) -> MayReach:
    """Return which addresses may be pushed to: in a dry-run without `--push` only those of this machine."""
    if settings.mode is Mode.LIVE or settings.push_anywhere:
        return lambda _: True
    return lambda address: address.is_loopback


def _now() -> datetime:
    return datetime.now(UTC)


def _stop_this_process() -> None:
    """Stop gracefully, so that the 503 is still sent. The parent starts a process that opens the database anew."""
    log.error("store.broken", extra={"reason": "an I/O error, or a damaged or moved file; this process ends"})
    os.kill(os.getpid(), signal.SIGTERM)
