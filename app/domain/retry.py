"""Decides by the response whether a push is retried, when, and when it is given up. Nothing here waits."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from app.domain.job import Dead, Done, Outcome, Retry
from app.domain.job_result import QueueSignal
from app.domain.push_response import PushResponse

HALF_A_DAY = timedelta(hours=12)
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    *([HALF_A_DAY] * 5),
)
"""The pauses after the first attempt, the second, …: a little over three days, for one attempt more than pauses."""

MAX_WAIT = timedelta(days=1)
"""The longest delay that a destination may ask for."""

GONE = 410
ABOUT_THE_DESTINATION = (408, 425, 429)
"""4xx statuses that say nothing about the event. Any other one refuses this event; the next may be accepted."""

_SECONDS = re.compile(r"[0-9]{1,20}", re.ASCII)


def outcome_of(response: PushResponse, attempts: int, jitter: float) -> tuple[Outcome, QueueSignal, timedelta | None]:
    """Return what a response means for its job and for its queue, and the delay that it asks for the whole queue.

    `attempts` is the number of earlier attempts; `jitter` (0 to 1) spreads the pauses.
    """
    if response.is_success:
        return Done(), QueueSignal.SUCCESS, None
    if response.status == GONE:  # nothing is claimed until a human resumes the queue
        return Retry(pause_after(0, jitter)), QueueSignal.GONE, None
    signal = QueueSignal.REFUSAL if _is_about_the_event(response.status) else QueueSignal.FAILURE
    retry_after = response.retry_after if signal is QueueSignal.FAILURE else None
    if attempts >= len(PAUSES):
        return Dead(f"{response.summary} after {attempts + 1} attempts"), signal, retry_after
    return Retry(max(pause_after(attempts, jitter), retry_after or timedelta())), signal, retry_after


def pause_after(attempts: int, jitter: float) -> timedelta:
    """Return the pause after a failed attempt that had this many before it: 80 to 120 per cent of the schedule's."""
    return PAUSES[min(attempts, len(PAUSES) - 1)] * (0.8 + 0.4 * jitter)


def retry_after_of(header: str | None, now: datetime) -> timedelta | None:
    """Return the delay that a `Retry-After` header asks for, `MAX_WAIT` at most. None if it has no valid one.

    Source: RFC 9110, 10.2.3: seconds, or an HTTP date.
    """
    delay = None if header is None else _parse(header.strip(), now)
    if delay is None or delay <= timedelta():
        return None
    return min(delay, MAX_WAIT)


def _parse(header: str, now: datetime) -> timedelta | None:
    if _SECONDS.fullmatch(header):
        return timedelta(seconds=min(int(header), int(MAX_WAIT.total_seconds())))
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now


def _is_about_the_event(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in ABOUT_THE_DESTINATION
