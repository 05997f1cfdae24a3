"""What the ends of tries tell about their lane: its breaker, its last success, its last error."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from app.domain.breaker import Breaker, after_failure, after_success
from app.domain.delivery import Attempt
from app.domain.job import DELIVER_LANE
from app.domain.job_result import LaneEffect, Settlement
from app.domain.queue import LaneState
from app.domain.timestamps import iso
from app.store.tables.queues import columns_of
from app.store.tables.schema import lanes
from app.store.tables.types import few_words

log = logging.getLogger(__name__)

Chance = Callable[[], float]

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
    update(lanes)
    .where(lanes.c.name == bindparam("lane"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)


def note_health(
    connection: Connection, now: datetime, known: Mapping[str, LaneState], ends: Iterable[Settlement], chance: Chance
) -> None:
    """Write down how these lanes, which are locked, stand after the ends, in their order."""
    states = dict(known)
    for end in ends:
        if end.job.lane in states:
            states[end.job.lane] = after(states[end.job.lane], end, now, chance)
    changed = [name for name, state in states.items() if state != known[name]]
    if changed:
        connection.execute(_NOTE, [_row(states[name]) for name in changed])
    for name in changed:
        _tell(known[name], states[name])


def after(state: LaneState, end: Settlement, now: datetime, chance: Chance) -> LaneState:
    """How a lane stands after one more try."""
    state = replace(state, breaker=_breaker(state.breaker, end, now, chance))
    if end.effect is LaneEffect.SUCCESS:
        return replace(state, last_success_at=now)
    if end.effect is LaneEffect.GONE:
        state = replace(state, disabled=True)
    if end.attempt is None:
        return state
    return replace(state, last_error_at=now, last_error=_words(end.attempt))


def _breaker(breaker: Breaker, end: Settlement, now: datetime, chance: Chance) -> Breaker:
    if end.effect is LaneEffect.SUCCESS:
        return after_success(breaker, now, end.most)
    if end.effect is LaneEffect.FAILURE:
        return after_failure(breaker, now, chance(), end.retry_after)
    return breaker


def _tell(before: LaneState, now: LaneState) -> None:
    """A line when the lane begins or ceases to be shut, just before it is committed."""
    facts = {"destination": now.name.removeprefix(DELIVER_LANE), "last_error": now.last_error}
    if now.disabled and not before.disabled:
        log.error("destination.disabled", extra=facts)
    if now.breaker.open_until is not None and not before.breaker.is_open:
        log.warning("destination.opened", extra={**facts, "until": iso(now.breaker.open_until)})
    if before.breaker.is_open and not now.breaker.is_open:
        log.info("destination.closed", extra=facts)


def _words(attempt: Attempt) -> str:
    words = attempt.error or ("no answer" if attempt.status is None else f"HTTP {attempt.status}")
    return few_words(words)


def _row(state: LaneState) -> dict[str, object]:
    columns = {**vars(state), **columns_of(state.breaker)}
    return {"lane": state.name, **{f"new_{name}": columns[name] for name in _CHANGED}}
