"""Assembly: the only place that knows dry-run from live and SQLite from PostgreSQL, and makes the parts."""

from datetime import UTC, datetime

from gevent import monkey

from app.config import Settings
from app.gateway import Gateway
from app.metrics import Metrics
from app.store import Store

MEGABYTE = 1024 * 1024


def build_gateway(settings: Settings) -> Gateway:
    """The parts for one process; nothing is opened yet. In a gevent web process the store is cooperative."""
    store = Store(
        settings.storage.url,
        min_free_bytes=settings.storage.min_free_megabytes * MEGABYTE,
        cooperative=monkey.is_module_patched("threading"),
    )
    return Gateway(settings=settings, store=store, clock=_now, metrics=Metrics())


def _now() -> datetime:
    return datetime.now(UTC)
