"""The worker: one process of background work, alive as long as its heartbeat says so."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime

from app.domain import VERSION
from app.domain.heartbeat import BEAT_EVERY, Heartbeat
from app.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

KIND = "worker"


def run_worker(store: Store, clock: Callable[[], datetime], stop: threading.Event) -> None:
    """Work until told to stop. A store that is away or without its schema is waited for."""
    process, started_at = f"{socket.gethostname()}:{os.getpid()}", clock()
    log.info("worker.started", extra={"process_of": process})
    while not stop.is_set():
        _beat(store, Heartbeat(process, KIND, VERSION, started_at, clock()))
        stop.wait(BEAT_EVERY.total_seconds())
    _take_leave(store, process)
    log.info("worker.stopped", extra={"process_of": process})


def is_anybody_working(store: Store, now: datetime) -> bool:
    """Tells whether some worker has lately given a sign of life."""
    return any(beat.is_fresh(now) for beat in store.heartbeats.latest(KIND))


def _beat(store: Store, heartbeat: Heartbeat) -> None:
    try:
        store.heartbeats.beat(heartbeat)
    except StoreUnavailable as error:
        log.warning("worker.waiting_for_store", extra={"reason": str(error)})


def _take_leave(store: Store, process: str) -> None:
    try:
        store.heartbeats.forget(process)
    except StoreUnavailable as error:
        log.warning("worker.heartbeat_left_behind", extra={"reason": str(error)})
