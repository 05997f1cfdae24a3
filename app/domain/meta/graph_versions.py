"""The versions of the Graph API, and when each ends. Calls to one that has ended go to the oldest that lives.

Source: Meta, "Graph API Changelog" (developers.facebook.com/docs/graph-api/changelog/versions), in November 2026.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

ENDS: Mapping[str, datetime | None] = {
    "v27.0": None,
    "v26.0": None,
    "v25.0": datetime(2028, 7, 29, tzinfo=UTC),
    "v24.0": datetime(2028, 2, 18, tzinfo=UTC),
    "v23.0": datetime(2027, 10, 8, tzinfo=UTC),
    "v22.0": datetime(2027, 5, 20, tzinfo=UTC),
    "v21.0": datetime(2027, 1, 21, tzinfo=UTC),
    "v20.0": datetime(2026, 9, 24, tzinfo=UTC),
}
"""The newest first. None: Meta has not said when. What is older than the last one has ended before it."""

OLDEST = list(ENDS)[-1]
NOTICE = timedelta(days=90)


def end_of(version: str) -> datetime | None:
    """Return when a version ends or has ended; None if that is not known."""
    return ENDS[OLDEST] if _number(version) < _number(OLDEST) else ENDS.get(version)


def ends_soon(version: str, now: datetime) -> bool:
    """Return whether a version has ended, or ends within `NOTICE`."""
    end = end_of(version)
    return end is not None and end - now < NOTICE


def _number(version: str) -> float:
    return float(version.removeprefix("v"))
