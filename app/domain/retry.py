"""When a push is tried again, what an answer means, and when it is enough. Nothing here waits."""

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
"""After the first try, the second, and so on: a little over three days. There is one more try than pauses."""

MAX_WAIT = timedelta(days=1)
"""What a destination may ask for. Whoever asks for more is asked again after a day."""

GONE = 410
ABOUT_THE_DESTINATION = (408, 425, 429)
"""Refusals that say nothing about the event. Every other 4xx does: the next event may well be welcome."""

_SECONDS = re.compile(r"[0-9]{1,20}", re.ASCII)


def outcome_of(answer: PushResponse, attempts: int, jitter: float) -> tuple[Outcome, QueueSignal, timedelta | None]:
    """What an answer means for its job and its queue, and the wait for the whole queue that it asked for.

    `attempts` is how many tries had ended before; `jitter` (0 to 1) spreads the pauses.
    """
    if answer.is_success:
        return Done(), QueueSignal.SUCCESS, None
    if answer.status == GONE:
        return (
            Retry(pause_after(0, jitter)),
            QueueSignal.GONE,
            None,
        )  # the queue stands still until a human resumes it
    effect = QueueSignal.NONE if _is_about_the_event(answer.status) else QueueSignal.FAILURE
    asked = answer.retry_after if effect is QueueSignal.FAILURE else None
    if attempts >= len(PAUSES):
        return Dead(f"{answer.words}, {attempts + 1} times tried"), effect, asked
    return Retry(max(pause_after(attempts, jitter), asked or timedelta())), effect, asked


def pause_after(attempts: int, jitter: float) -> timedelta:
    """The pause after a try that failed, when so many had ended before it: 80 to 120 per cent of the schedule's."""
    return PAUSES[attempts] * (0.8 + 0.4 * jitter)


def retry_after_of(header: str | None, now: datetime) -> timedelta | None:
    """The wait that a `Retry-After` header asks for, a day at most. None if it asks for none, or for nonsense.

    Source: RFC 9110, 10.2.3: seconds, or an HTTP date.
    """
    asked = None if header is None else _asked(header.strip(), now)
    if asked is None or asked <= timedelta():
        return None
    return min(asked, MAX_WAIT)


def _asked(header: str, now: datetime) -> timedelta | None:
    if _SECONDS.fullmatch(header):
        return timedelta(seconds=min(int(header), int(MAX_WAIT.total_seconds())))
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now


def _is_about_the_event(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in ABOUT_THE_DESTINATION
