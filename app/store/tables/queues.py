"""Queues as rows: the state that holds for all jobs of one, and the locks on it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from app.domain.breaker import Breaker
from app.domain.queue import QueueState
from app.store.tables.schema import queues

_ENSURE = text(
    "INSERT INTO queues (name, paused, disabled, failures, trips) VALUES (:name, false, false, 0, 0)"
    " ON CONFLICT (name) DO NOTHING"
)
_NAMED = select(queues.c.name).where(queues.c.name.in_(bindparam("names", expanding=True)))
_LOCKED = (
    select(queues)
    .where(queues.c.name.in_(bindparam("names", expanding=True)))
    .order_by(queues.c.name)
    .with_for_update()
)


def ensure_queues(connection: Connection, names: Iterable[str]) -> None:
    """Make those that are missing. They are looked for first: to insert a name that is there would wait for whoever
    changes its row."""
    wanted = sorted(set(names))
    known = set(connection.execute(_NAMED, {"names": wanted}).scalars())
    if missing := [{"name": name} for name in wanted if name not in known]:
        connection.execute(_ENSURE, missing)


def lock_queues(connection: Connection, names: Iterable[str]) -> dict[str, QueueState]:
    """Hold these queues until the transaction ends. Everybody locks queues by name, and before any of their jobs."""
    wanted = sorted(set(names))
    return {row.name: queue_of(row) for row in connection.execute(_LOCKED, {"names": wanted})} if wanted else {}


def queue_of(row: Row[tuple[object, ...]]) -> QueueState:
    """The queue that a row of the table holds."""
    return QueueState(
        name=row.name,
        paused=row.paused,
        disabled=row.disabled,
        breaker=Breaker(row.failures, row.open_until, row.trips, row.allowance),
        last_success_at=row.last_success_at,
        last_error_at=row.last_error_at,
        last_error=row.last_error,
    )


def columns_of(breaker: Breaker) -> Mapping[str, Any]:
    """A breaker as columns of its queue."""
    return vars(breaker)
