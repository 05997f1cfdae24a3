"""The state of the gateway in one answer. `app.health.schemas` declares its form; here are the values."""

from collections.abc import Mapping
from typing import Any

from app.domain import VERSION
from app.gateway import Gateway
from app.health.alerts import current_alerts, with_beginnings
from app.health.snapshot import take_snapshot


def status_of(gateway: Gateway, checks: Mapping[str, str], *, store_failed_recently: bool = False) -> dict[str, Any]:
    """Return the values of `StatusSchema`; `checks` are those of readiness. Raises `StoreUnavailable`."""
    snapshot = take_snapshot(gateway)
    receipts = snapshot.receipts
    alerts = current_alerts(checks, snapshot, store_failed_recently=store_failed_recently)
    return {
        "service": "wats",
        "version": VERSION,
        "mode": gateway.settings.mode.value,
        "profile": gateway.settings.profile,
        "database": {"kind": gateway.store.kind, **vars(gateway.store.schema_status())},
        "receipts": {**vars(receipts), "oldest_pending_seconds": snapshot.age(receipts.oldest_pending_at)},
        "events": snapshot.events,
        "queues": [{**vars(depth), "oldest_seconds": snapshot.age(depth.oldest_due_at)} for depth in snapshot.queues],
        "destinations": snapshot.destinations,
        "dead_letters": snapshot.dead_letters,
        "workers": [{**vars(worker), "fresh": worker.is_fresh(snapshot.now)} for worker in snapshot.workers],
        "attention": with_beginnings(alerts, snapshot.recorded),
    }
