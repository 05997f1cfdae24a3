"""Assembly: the only place that knows dry-run from live and SQLite from PostgreSQL, and makes the parts."""

import logging
import os
import random
import signal
from datetime import UTC, datetime

from gevent import monkey

from app.config import Mode, Settings
from app.destinations import Destinations, MayReach
from app.gateway import Gateway
from app.metrics import Metrics
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
        chance=random.random,
    )


def _may_reach(settings: Settings) -> MayReach:
    """Which addresses are pushed to: in a dry-run those of this machine, unless it was told to push."""
    if settings.mode is Mode.LIVE or settings.push_anywhere:
        return lambda _: True
    return lambda address: address.is_loopback


def _now() -> datetime:
    return datetime.now(UTC)


def _end_this_process() -> None:
    """Stop in order, so that the 503 still goes out; whoever started this process starts one that reads anew."""
    log.error("store.broken", extra={"reason": "an I/O error or a damaged file; this process ends"})
    os.kill(os.getpid(), signal.SIGTERM)
