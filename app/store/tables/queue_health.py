"""Records the results of jobs in their queues: breaker, disabled, last success, last error."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, update

from app.domain.breaker import Breaker, after_failure, after_success
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.queue import QueueState
from app.domain.refusing import after_refusals, is_refusing
from app.store.tables.queues import columns_of
from app.store.tables.schema import queues
from app.store.tables.types import printable_excerpt

Jitter = Callable[[], float]
"""Return a number from 0 to 1, which spreads the breaker's pauses."""

EXACTNESS = timedelta(seconds=1)
"""How exact the time of the last success is: a queue that works records it once a second, not at every settlement."""

_CHANGED = (
    "disabled",
    "failures",
    "open_until",
    "trips",
    "allowance",
    "last_success_at",
    "last_error_at",
    "last_error",
    "refusals",
    "was_open_at",
)
_UPDATE = (
    update(queues)
    .where(queues.c.name == bindparam("queue"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)


@dataclass(frozen=True)
class QueueChange:
    """The state of a queue before and after a transaction."""

    before: QueueState
    after: QueueState


def record_queue_health(
    connection: Connection,
    now: datetime,
    locked: Mapping[str, QueueState],
    results: Iterable[JobResult],
    jitter: Jitter,
) -> list[QueueChange]:
    """Apply the results, in their order, to the states of these locked queues. Return the states that changed."""
    states = {name: state.as_of(now) for name, state in locked.items()}
    for result in results:
        if result.job.queue in states:
            states[result.job.queue] = next_state(states[result.job.queue], result, now, jitter)
    changes = [QueueChange(before, states[name]) for name, before in locked.items() if states[name] != before]
    if changes:
        connection.execute(_UPDATE, [_row(change.after) for change in changes])
    return changes


def next_state(state: QueueState, result: JobResult, now: datetime, jitter: Jitter) -> QueueState:
    """Return the state of a queue after one more result."""
    state = replace(state, refusals=_next_refusals(state.refusals, result))
    state = state.with_breaker(_next_breaker(state, result, now, jitter), now)
    if result.signal is QueueSignal.SUCCESS:
        is_recorded = state.last_success_at is not None and timedelta() <= now - state.last_success_at < EXACTNESS
        return state if is_recorded else replace(state, last_success_at=now)
    if result.signal is QueueSignal.GONE:
        state = replace(state, disabled=True)
    if result.attempt is None:
        return state
    return replace(state, last_error_at=now, last_error=_error_text(result.attempt))


def _next_refusals(refusals: int, result: JobResult) -> int:
    """Return how many different jobs in a row were refused: only the first attempt of each counts."""
    if result.signal is QueueSignal.SUCCESS:
        return 0
    return refusals + (result.signal is QueueSignal.REFUSAL and result.job.attempts == 0)


def _next_breaker(state: QueueState, result: JobResult, now: datetime, jitter: Jitter) -> Breaker:
    if result.signal is QueueSignal.SUCCESS:
        return after_success(state.breaker, now, result.max_in_flight)
    if result.signal is QueueSignal.FAILURE:
        return after_failure(state.breaker, now, jitter(), result.retry_after)
    status = result.attempt.status if result.attempt else None
    if result.signal is QueueSignal.REFUSAL and is_refusing(state.refusals, status):
        return after_refusals(state.breaker, now, jitter())
    return state.breaker


def _error_text(attempt: Attempt) -> str:
    error = attempt.error or ("no answer" if attempt.status is None else f"HTTP {attempt.status}")
    return printable_excerpt(error)


def _row(state: QueueState) -> dict[str, object]:
    columns = {**vars(state), **columns_of(state.breaker)}
    return {"queue": state.name, **{f"new_{name}": columns[name] for name in _CHANGED}}
