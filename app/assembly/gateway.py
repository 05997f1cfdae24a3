"""Makes the gateway of a process as its settings say: dry-run or live, SQLite or PostgreSQL."""

import gc
import logging
import os
import random
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import gevent

from app.config import Mode, Settings, owner_of
from app.destinations import Destinations, MayReach
from app.domain.message import MessageStatus
from app.domain.meta.signature import signed_with
from app.domain.outbound_event import asked_for
from app.domain.trace import TraceContext
from app.gateway import Gateway
from app.gevent_patch import is_patched
from app.graph.call import GraphApi
from app.log.contact_label import ContactLabel
from app.metrics import Metrics
from app.startup import counter_folder
from app.store import Store, load_driver
from app.store.media_folder import MediaFolder
from app.tracing import Tracing
from app.webhook.receive import receive

if TYPE_CHECKING:
    from app.graph.fake.stored import StoredFake

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
MEDIA_MARGIN = 1024 * MEGABYTE
"""Customers' files need this much more free disk space than webhooks, so that these files never stop webhooks."""


def load_code(settings: Settings) -> None:
    """Import now, before any fork, the modules that such a gateway imports late: forked processes then share them."""
    load_driver(settings.storage.url)
    if settings.mode is Mode.DRY_RUN:
        import app.graph.fake.stored  # a live gateway never imports the fake
    else:
        import app.graph.client  # a dry-run never imports the client of Meta
    if settings.exports_spans:
        import app.tracing.otel  # noqa: F401 - its packages are not always installed


def build_gateway(settings: Settings) -> Gateway:
    """Make a gateway. Nothing is open yet, so a fork may copy it. If gevent has patched, its store is cooperative."""
    store = Store(
        settings.storage.url,
        source=settings.storage.source,
        owner=owner_of(settings),
        min_free_bytes=settings.storage.min_free_megabytes * MEGABYTE,
        cooperative=is_patched(),
        on_broken=_stop_this_process,
        recorded=recorded_statuses(settings),
    )
    metrics = Metrics()
    return Gateway(
        settings=settings,
        store=store,
        clock=_now,
        metrics=metrics,
        tracing=_tracing(settings, metrics),
        contact_label=ContactLabel(settings.log_contacts, settings.webhook.app_secret.current),
        destinations=Destinations(_may_reach(settings), _now),
        jitter=random.random,
        media_folder=MediaFolder(
            settings.media.directory,
            settings.storage.min_free_megabytes * MEGABYTE + MEDIA_MARGIN,
            lambda: store.identity().id,
        ),
        make_graph=_graph_of,
    )


def open_gateway(gateway: Gateway) -> None:
    """Open the counters and the store. Both belong to one process, and must not be open across a fork."""
    gateway.metrics.share(counter_folder.entered())
    gateway.store.open()


def _tracing(settings: Settings, metrics: Metrics) -> Tracing:
    if not settings.exports_spans:
        return Tracing()
    from app.tracing.lost import LostSpans  # a gateway that exports nothing imports nothing of OpenTelemetry
    from app.tracing.otel import OtelTracing

    return OtelTracing(LostSpans(metrics.spans_lost))


def recorded_statuses(settings: Settings) -> frozenset[MessageStatus]:
    """Return the message statuses that become events, for destinations that ask for them or for readers that pull."""
    pushed = [glob for one in settings.destinations if one.format == "events" for glob in one.types]
    return asked_for([*pushed, *settings.sending.events])


def _graph_of(gateway: Gateway) -> GraphApi:
    """Return the client of the Graph API; in a dry-run that of the fake Meta."""
    graph, token = gateway.settings.graph, gateway.settings.access_token
    if gateway.settings.mode is Mode.DRY_RUN:
        return fake_meta_of(gateway).client
    from app.graph.client import GraphClient

    assert token is not None, "a live profile has an access token"
    return GraphClient(
        graph.base_url,
        graph.api_version,
        token.current,
        gateway.clock,
        secrets=token.active,
        accounts=gateway.settings.whatsapp.waba_ids,
        numbers=gateway.settings.whatsapp.phone_number_ids,
    )


def fake_meta_of(gateway: Gateway) -> "StoredFake":
    """Return the fake Meta of a dry-run. It replaces the Graph API, and its webhooks are received like Meta's."""
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
    """Receive a webhook of the fake Meta like one of Meta's; drop it if its signature is wrong."""
    signer = signed_with(body, signature, gateway.settings.webhook.app_secret.active)
    if signer is not None:
        receive(body, signer, gateway, TraceContext.new())


def _may_reach(settings: Settings) -> MayReach:
    """Return the test for the addresses that pushes may reach: in a dry-run without `--push` only this machine's."""
    if settings.mode is Mode.LIVE or settings.push_anywhere:
        return lambda _: True
    return lambda address: address.is_loopback


def _now() -> datetime:
    return datetime.now(UTC)


def _stop_this_process() -> None:
    """Stop gracefully, so that the 503 is still sent. The parent starts a new process, which opens the database."""
    log.error("store.broken", extra={"reason": "an I/O error, or a damaged or moved file; this process ends"})
    os.kill(os.getpid(), signal.SIGTERM)


def tune_runtime() -> None:
    """Tune the interpreter for a long-running process, after everything is imported."""
    gc.freeze()  # the garbage collector need not examine what is loaded now and stays
    sys.setswitchinterval(0.001)  # a native thread gets the interpreter lock sooner
