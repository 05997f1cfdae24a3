"""Queues as rows: the state that applies to all jobs of a queue, and the locks on it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, text

from app.domain.breaker import Breaker
from app.domain.queue import QueueState
from app.store.engine.one_of import one_of
from app.store.tables.schema import queues

_ADD = text(
    "INSERT INTO queues (name, paused, disabled, failures, trips) VALUES (:name, false, false, 0, 0)"
    " ON CONFLICT (name) DO NOTHING"
)
_EXISTING = select(queues.c.name).where(one_of(queues.c.name, "names"))
_LOCK = select(queues).where(one_of(queues.c.name, "names")).order_by(queues.c.name).with_for_update()
_existing = queues.alias("existing")
_LOCK_ALL = (
    select(queues.c.name)
    .where(
        one_of(queues.c.name, "names"),
        select(func.count()).where(one_of(_existing.c.name, "names")).scalar_subquery() == bindparam("number"),
    )
    .order_by(queues.c.name)
    .with_for_update()
)


def ensure_queues(connection: Connection, names: Iterable[str]) -> None:
    """Add the queues that are missing. A transaction does so before it locks any queue.

    The missing ones are looked up first: an insert of a name that exists would wait for the lock on its row.
    """
    ordered = sorted(set(names))
    existing = set(connection.execute(_EXISTING, {"names": ordered}).scalars())
    if missing := [{"name": name} for name in ordered if name not in existing]:
        connection.execute(_ADD, missing)


def lock_queues(connection: Connection, names: Iterable[str]) -> dict[str, QueueState]:
    """Lock these queues until the transaction ends, in the order of their names, and return their states."""
    ordered = sorted(set(names))
    return {row.name: queue_of(row) for row in connection.execute(_LOCK, {"names": ordered})} if ordered else {}


def ensure_locked(connection: Connection, names: Iterable[str]) -> None:
    """Lock these queues until the transaction ends, in the order of their names, and before that add missing ones.

    One statement does it, unless a queue is missing: then it locks none.
    """
    ordered = sorted(set(names))
    if ordered and not connection.execute(_LOCK_ALL, {"names": ordered, "number": len(ordered)}).all():
        ensure_queues(connection, ordered)
        lock_queues(connection, ordered)


def queue_of(row: Row[tuple[object, ...]]) -> QueueState:
    """Return the state that a row of the table holds."""
    return QueueState(
        name=row.name,
        paused=row.paused,
        disabled=row.disabled,
        breaker=Breaker(row.failures, row.open_until, row.trips, row.allowance),
        last_success_at=row.last_success_at,
        last_error_at=row.last_error_at,
        last_error=row.last_error,
        rest_until=row.rest_until,
        refusals=row.refusals or 0,
        paused_at=row.paused_at,
        was_open_at=row.was_open_at,
    )


def columns_of(breaker: Breaker) -> Mapping[str, Any]:
    """Return a breaker as columns of its queue."""
    return vars(breaker)
