"""What the end of a try changes about its delivery."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from app.domain.delivery import Attempt, DeliveryState
from app.domain.job import DELIVER_QUEUE, Dead, Outcome, Retry
from app.domain.job_result import JobResult
from app.store.tables.attempts import attempts_of, column_of
from app.store.tables.chunks import chunks
from app.store.tables.schema import deliveries

OPEN = "open"
"""The state of a delivery that has a job: it waits or is in flight."""

_KNOWN = select(deliveries.c.id, deliveries.c.attempts).where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
_NOTE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"))
    .values(state=bindparam("new_state"), attempts=bindparam("all_attempts"), updated_at=bindparam("now"))
)


def record_attempts(connection: Connection, now: datetime, ends: Iterable[JobResult]) -> None:
    """Write down attempts and states of the deliveries that these tries were for."""
    tries = {end.job.subject: end for end in ends if end.job.queue.startswith(DELIVER_QUEUE)}
    rows = [
        _row(row.id, row.attempts, tries[row.id], now)
        for some in chunks(sorted(tries))
        for row in connection.execute(_KNOWN, {"ids": some})
    ]
    if rows:
        connection.execute(_NOTE, rows)


def _row(delivery_id: int, known: bytes, end: JobResult, now: datetime) -> dict[str, Any]:
    attempt = _attempt(end, now)
    all_attempts = known if attempt is None else column_of([*attempts_of(known), attempt])
    state = state_after(end.outcome)
    return {"delivery_id": delivery_id, "new_state": state, "all_attempts": all_attempts, "now": now}


def _attempt(end: JobResult, now: datetime) -> Attempt | None:
    """The POST; or why it was given up without one."""
    if end.attempt is None and isinstance(end.outcome, Dead):
        return Attempt(now, None, end.outcome.reason, 0)
    return end.attempt


def state_after(outcome: Outcome) -> str:
    """The state of a delivery after a try that ended so."""
    if isinstance(outcome, Retry):
        return OPEN
    return (DeliveryState.DEAD if isinstance(outcome, Dead) else DeliveryState.DELIVERED).value
