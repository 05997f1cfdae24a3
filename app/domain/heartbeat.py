"""A heartbeat: the sign of life of a process."""

from dataclasses import dataclass
from datetime import datetime, timedelta

BEAT_EVERY = timedelta(seconds=5)
FRESH_FOR = BEAT_EVERY * 3


@dataclass(frozen=True)
class Heartbeat:
    """Who is alive: a process's own name, what kind it is, its version, since when, and when it last said so."""

    process: str
    kind: str
    version: str
    started_at: datetime
    at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Tells whether the process has beaten lately; three beats may be missed."""
        return now - self.at < FRESH_FOR
