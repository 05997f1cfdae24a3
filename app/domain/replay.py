"""A replay of many deliveries: which ones, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.delivery import DeliveryState


@dataclass(frozen=True)
class Selection:
    """Which deliveries: to a destination, of types by globs, received in a range (`until` excluded), in a state.

    Without a state: dead and skipped ones, and those of events that were foreign when they came and no longer are.
    `includes_missing`: also those that the destination gets by its present settings, and that were never made.
    """

    destination: str | None = None
    types: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    state: DeliveryState | None = None
    includes_missing: bool = False


@dataclass(frozen=True)
class ReplayStep:
    """One step: how many deliveries were replayed, how many events were looked at, and the sequence after which the
    next step begins (None: this was the last one)."""

    replayed: int
    seen: int
    next: int | None
