"""A replay of many deliveries: which, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.delivery import DeliveryState


@dataclass(frozen=True)
class Selection:
    """Which deliveries, by their destination, their events' type globs and arrival (`until` excluded), their state.

    Without a state: what is dead or skipped, and events that were foreign when they came and no longer are.
    """

    destination: str | None = None
    types: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    state: DeliveryState | None = None


@dataclass(frozen=True)
class ReplayStep:
    """One step: how many deliveries were put in line, how many events looked at, and after which sequence the next
    step begins (None: that was the last)."""

    replayed: int
    seen: int
    next: int | None
