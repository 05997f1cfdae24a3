"""Timestamps as JSON, the same in the API, pushed events and the terminal."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=100)
def iso(timestamp: datetime | None) -> str | None:
    """Return a time in UTC with milliseconds, such as `2026-01-02T03:04:05.678Z`; None for None."""
    if timestamp is None:
        return None
    return timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
