"""The gateway: the list of parts a room may use. Assembly fills it in; nobody else makes one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app

from app.config import Settings
from app.destinations import Destinations
from app.metrics import Metrics
from app.store import Store

Clock = Callable[[], datetime]
"""Tells the time as an aware UTC datetime."""

EXTENSION = "wats"


@dataclass(frozen=True)
class Gateway:
    """`jitter` gives numbers from 0 to 1 at random, to spread what would otherwise happen at once."""

    settings: Settings
    store: Store
    clock: Clock
    metrics: Metrics
    destinations: Destinations
    jitter: Callable[[], float]


def gateway() -> Gateway:
    """The parts of the application that handles the current request."""
    return cast("Gateway", current_app.extensions[EXTENSION])
