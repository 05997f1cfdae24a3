"""The state of the gateway in one answer: what stands in the store and who works on it."""

from datetime import datetime
from typing import Any

from app.domain import VERSION
from app.domain.destination import DestinationStatus, destination_statuses
from app.domain.heartbeat import Heartbeat
from app.domain.queue import QueueDepth
from app.domain.timestamps import iso
from app.gateway import Gateway
from app.health.alerts import concerns_of
from app.health.queues import queues_of
from app.store import ReceiptCounts


def status_of(gateway: Gateway) -> dict[str, Any]:
    """What `/status` answers. Raises `StoreUnavailable` when the store cannot tell."""
    now, receipts = gateway.clock(), gateway.store.receipts.counts()
    status = {
        "service": "wats",
        "version": VERSION,
        "mode": gateway.settings.mode.value,
        "profile": gateway.settings.profile,
        "database": {"kind": gateway.store.kind, **_schema(gateway)},
        "receipts": _receipts(receipts, now),
        "events": _events(gateway),
        "queues": [_queue(depth, now) for depth in queues_of(gateway.store.jobs.depths(), receipts)],
        **_destinations(gateway),
        "workers": [_worker(beat, now) for beat in gateway.store.heartbeats.latest("worker")],
    }
    return {**status, "attention": concerns_of(status)}


def _schema(gateway: Gateway) -> dict[str, Any]:
    schema = gateway.store.schema_status()
    return {"schema": schema.version, "head": schema.head, "compatible": schema.compatible}


def _receipts(counts: ReceiptCounts, now: datetime) -> dict[str, Any]:
    return {
        "total": counts.total,
        "pending": counts.pending,
        "unreadable": counts.unreadable,
        "oldestPendingSeconds": _age(counts.oldest_pending_at, now),
        "lastReceivedAt": iso(counts.last_received_at),
    }


def _events(gateway: Gateway) -> dict[str, Any]:
    counts = gateway.store.events.counts()
    return {"total": counts.total, "foreign": counts.foreign}


def _queue(depth: QueueDepth, now: datetime) -> dict[str, Any]:
    return {
        "queue": depth.queue,
        "waiting": depth.waiting,
        "inFlight": depth.in_flight,
        "oldestSeconds": _age(depth.oldest_due_at, now),
    }


def _destinations(gateway: Gateway) -> dict[str, Any]:
    """Those of the profile; and dead letters in all, also of those that it no longer lists."""
    counts = gateway.store.deliveries.counts()
    names = [destination.name for destination in gateway.settings.destinations]
    statuses = destination_statuses(names, gateway.store.queues.all(), counts)
    return {
        "destinations": [_destination(status) for status in statuses],
        "deadLetters": sum(count.dead for count in counts.values()),
    }


def _destination(status: DestinationStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "state": status.state.value,
        "waiting": status.waiting,
        "dead": status.dead,
        "lastSuccessAt": iso(status.last_success_at),
        "lastErrorAt": iso(status.last_error_at),
        "lastError": status.last_error,
    }


def _worker(beat: Heartbeat, now: datetime) -> dict[str, Any]:
    return {
        "process": beat.process,
        "version": beat.version,
        "startedAt": iso(beat.started_at),
        "lastBeatAt": iso(beat.at),
        "fresh": beat.is_fresh(now),
    }


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, round((now - moment).total_seconds(), 3))
