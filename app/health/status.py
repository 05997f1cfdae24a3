"""The state of the gateway in one answer: what stands in the store and who works on it."""

from datetime import datetime
from typing import Any

from app.domain import VERSION
from app.domain.heartbeat import Heartbeat
from app.domain.moments import iso
from app.gateway import Gateway
from app.health.attention import concerns_of


def status_of(gateway: Gateway) -> dict[str, Any]:
    """What `/status` answers. Raises `StoreUnavailable` when the store cannot tell."""
    now = gateway.clock()
    status = {
        "service": "wats",
        "version": VERSION,
        "mode": gateway.settings.mode.value,
        "profile": gateway.settings.profile,
        "database": {"kind": gateway.store.kind, **_schema(gateway)},
        "receipts": _receipts(gateway, now),
        "workers": [_worker(beat, now) for beat in gateway.store.heartbeats.latest("worker")],
    }
    return {**status, "attention": concerns_of(status)}


def _schema(gateway: Gateway) -> dict[str, Any]:
    schema = gateway.store.schema_status()
    return {"schema": schema.version, "head": schema.head, "compatible": schema.compatible}


def _receipts(gateway: Gateway, now: datetime) -> dict[str, Any]:
    counts = gateway.store.receipts.counts()
    return {
        "total": counts.total,
        "pending": counts.pending,
        "unreadable": counts.unreadable,
        "oldestPendingSeconds": _age(counts.oldest_pending_at, now),
        "lastReceivedAt": iso(counts.last_received_at),
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
    return None if moment is None else round((now - moment).total_seconds(), 3)
