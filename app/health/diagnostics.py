"""Facts about the process that answers, to find out why it misbehaves. They hold no secrets."""

import gc
import os
import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.domain import VERSION
from app.domain.queue import QueueState
from app.domain.timestamps import iso
from app.gateway import Gateway

PACKAGES = ("flask", "flask-smorest", "gevent", "gunicorn", "sqlalchemy", "werkzeug")
KIBIBYTE = 1024

_started = time.monotonic()


def diagnostics_of(gateway: Gateway) -> dict[str, Any]:
    """Return versions, memory, descriptors, queues, and the settings that are not secret."""
    return {
        "service": "wats",
        "version": VERSION,
        "process": _process(),
        "runtime": {"python": platform.python_version(), "platform": sys.platform, **_packages()},
        "store": {"kind": gateway.store.kind, **gateway.store.describe()},
        "queues": [_queue(queue) for queue in gateway.store.queues.all()],
        "settings": _settings(gateway),
    }


def _process() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "uptimeSeconds": round(time.monotonic() - _started, 1),
        "maxResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE,
        "openDescriptors": _descriptors(),
        "objects": len(gc.get_objects()),
    }


def _queue(queue: QueueState) -> dict[str, Any]:
    breaker = queue.breaker
    return {
        "name": queue.name,
        "paused": queue.paused,
        "disabled": queue.disabled,
        "failures": breaker.failures,
        "openUntil": iso(breaker.open_until),
        "trips": breaker.trips,
        "allowance": breaker.allowance,
        "lastSuccessAt": iso(queue.last_success_at),
        "lastErrorAt": iso(queue.last_error_at),
        "lastError": queue.last_error,
    }


def _descriptors() -> int | None:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else None


def _packages() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}


def _settings(gateway: Gateway) -> dict[str, Any]:
    settings = gateway.settings
    return {
        "mode": settings.mode.value,
        "profile": settings.profile,
        "webhookPath": settings.webhook.path,
        "apiPrefix": settings.service.api_prefix,
        "maxBodyBytes": settings.webhook.max_body_bytes,
        "appSecretRotating": settings.webhook.app_secret.previous is not None,
        "phoneNumbers": len(settings.whatsapp.phone_number_ids),
        "destinations": [destination.name for destination in settings.destinations],
        "webProcesses": settings.web_processes,
    }
