"""Records the results of jobs in their deliveries. The only link from settling jobs to deliveries."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from app.domain.delivery import DeliveryState
from app.domain.job import Dead, Outcome, Retry
from app.domain.job_result import Attempt, JobResult
from app.store.engine.bulk_update import BulkUpdate
from app.store.engine.one_of import one_of
from app.store.tables.deliveries import OPEN, attempts_of, column_of
from app.store.tables.schema import deliveries
from app.store.tables.types import chunks

_ATTEMPTS = (
    select(deliveries.c.id, deliveries.c.attempts)
    .where(one_of(deliveries.c.id, "ids"))
    .order_by(deliveries.c.id)
    .with_for_update()
)
_UPDATE = BulkUpdate(deliveries, "state", "attempts", updated_at=bindparam("now"))


def record_attempts(connection: Connection, now: datetime, results: Iterable[JobResult]) -> None:
    """Record the attempts and the new states of the deliveries that these results are about."""
    by_delivery = {result.job.subject: result for result in results}
    rows = [
        _row(row.id, row.attempts, by_delivery[row.id], now)
        for ids in chunks(sorted(by_delivery))
        for row in connection.execute(_ATTEMPTS, {"ids": ids})
    ]
    _UPDATE.execute(connection, rows, now=now)


def state_after(outcome: Outcome) -> str:
    """Return the stored state of a delivery after an attempt with this outcome."""
    if isinstance(outcome, Retry):
        return OPEN
    return (DeliveryState.DEAD if isinstance(outcome, Dead) else DeliveryState.DELIVERED).value


def _row(delivery_id: int, earlier: bytes, result: JobResult, now: datetime) -> tuple[int, str, bytes]:
    attempt = _attempt(result, now)
    attempts = earlier if attempt is None else column_of([*attempts_of(earlier), attempt])
    return delivery_id, state_after(result.outcome), attempts


def _attempt(result: JobResult, now: datetime) -> Attempt | None:
    """Return the POST; for a delivery that is dead without one, an attempt that holds the reason."""
    if result.attempt is None and isinstance(result.outcome, Dead):
        return Attempt(now, None, result.outcome.reason, 0)
    return result.attempt
