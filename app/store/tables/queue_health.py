"""What the ends of tries tell about their queue: its breaker, its last success, its last error."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from app.domain.breaker import Breaker, after_failure, after_success
from app.domain.delivery import Attempt
from app.domain.job import DELIVER_QUEUE
from app.domain.job_result import JobResult, QueueSignal
from app.domain.queue import QueueState
from app.domain.timestamps import iso
from app.store.tables.queues import columns_of
from app.store.tables.schema import queues
from app.store.tables.types import printable_excerpt

log = logging.getLogger(__name__)

Jitter = Callable[[], float]

_CHANGED = (
    "disabled",
    "failures",
    "open_until",
    "trips",
    "allowance",
    "last_success_at",
    "last_error_at",
    "last_error",
)
_NOTE = (
    update(queues)
    .where(queues.c.name == bindparam("queue"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)


def record_queue_health(
    connection: Connection, now: datetime, known: Mapping[str, QueueState], ends: Iterable[JobResult], jitter: Jitter
) -> None:
    """Write down how these queues, which are locked, stand after the ends, in their order."""
    states = dict(known)
    for end in ends:
        if end.job.queue in states:
            states[end.job.queue] = after(states[end.job.queue], end, now, jitter)
    changed = [name for name, state in states.items() if state != known[name]]
    if changed:
        connection.execute(_NOTE, [_row(states[name]) for name in changed])
    for name in changed:
        _tell(known[name], states[name])


def after(state: QueueState, end: JobResult, now: datetime, jitter: Jitter) -> QueueState:
    """How a queue stands after one more try."""
    state = replace(state, breaker=_breaker(state.breaker, end, now, jitter))
    if end.signal is QueueSignal.SUCCESS:
        return replace(state, last_success_at=now)
    if end.signal is QueueSignal.GONE:
        state = replace(state, disabled=True)
    if end.attempt is None:
        return state
    return replace(state, last_error_at=now, last_error=_words(end.attempt))


def _breaker(breaker: Breaker, end: JobResult, now: datetime, jitter: Jitter) -> Breaker:
    if end.signal is QueueSignal.SUCCESS:
        return after_success(breaker, now, end.max_in_flight)
    if end.signal is QueueSignal.FAILURE:
        return after_failure(breaker, now, jitter(), end.retry_after)
    return breaker


def _tell(before: QueueState, now: QueueState) -> None:
    """A line when the queue begins or ceases to be shut, just before it is committed."""
    facts = {"destination": now.name.removeprefix(DELIVER_QUEUE), "last_error": now.last_error}
    if now.disabled and not before.disabled:
        log.error("destination.disabled", extra=facts)
    if now.breaker.open_until is not None and not before.breaker.is_open:
        log.warning("destination.opened", extra={**facts, "until": iso(now.breaker.open_until)})
    if before.breaker.is_open and not now.breaker.is_open:
        log.info("destination.closed", extra=facts)


def _words(attempt: Attempt) -> str:
    words = attempt.error or ("no answer" if attempt.status is None else f"HTTP {attempt.status}")
    return printable_excerpt(words)


def _row(state: QueueState) -> dict[str, object]:
    columns = {**vars(state), **columns_of(state.breaker)}
    return {"queue": state.name, **{f"new_{name}": columns[name] for name in _CHANGED}}
