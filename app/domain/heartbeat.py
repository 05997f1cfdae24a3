"""A heartbeat: the sign of life of a process."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

BEAT_EVERY = timedelta(seconds=5)
FRESH_FOR = BEAT_EVERY * 3


@dataclass(frozen=True)
class Heartbeat:
    """A process's name, kind and version, when it started, and when it last gave a sign of life."""

    process: str
    kind: str
    version: str
    started_at: datetime
    at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Return whether fewer than three heartbeats were missed. One from the future says nothing about now."""
        return abs(now - self.at) < FRESH_FOR


def is_any_fresh(heartbeats: Iterable[Heartbeat], now: datetime) -> bool:
    """Return whether one of these processes is alive."""
    return any(heartbeat.is_fresh(now) for heartbeat in heartbeats)
