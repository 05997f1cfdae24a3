"""A destination that refuses different events in a row and accepts none: it is wrong, and not the events.

Its breaker opens then, as for failures: otherwise every event would use up its own attempts.
"""

from dataclasses import replace
from datetime import datetime

from app.domain.breaker import FAILURES_TO_OPEN, Breaker, after_failure

ABOUT_THE_ADDRESS = (401, 403, 404, 405)
"""Statuses of a wrong URL, method or secret rather than of a wrong event."""

REFUSALS_TO_OPEN = 12
"""Refusals with another status that open the breaker: one kind of event that is refused must not delay others."""


def is_refusing(refusals: int, status: int | None) -> bool:
    """Return whether this many different events in a row, the last with this status, were refused for the address."""
    return refusals >= (FAILURES_TO_OPEN if status in ABOUT_THE_ADDRESS else REFUSALS_TO_OPEN)


def after_refusals(breaker: Breaker, now: datetime, jitter: float) -> Breaker:
    """Return the breaker after one more refusal of such a run: it opens, or stays open for longer."""
    return after_failure(replace(breaker, failures=max(breaker.failures, FAILURES_TO_OPEN - 1)), now, jitter)
