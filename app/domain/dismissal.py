"""Dismissing what an operator has looked at: a time range, and how far a dismissal has come."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Period:
    """A range of times, `until` excluded; None: without a limit."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class DismissStep:
    """How many were dismissed, or would be, and where the next step begins (None: this was the last one)."""

    count: int
    next: int | None
