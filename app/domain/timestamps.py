"""Moments as our JSON tells them."""

from datetime import UTC, datetime


def iso(moment: datetime | None) -> str | None:
    """A time as we print it: UTC, milliseconds, `Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
