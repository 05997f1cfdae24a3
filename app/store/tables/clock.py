"""The clock's row: whether the clock is trusted with what cannot be undone."""

from sqlalchemy import Connection, select

from app.domain.clock_trust import ClockTrust
from app.store.tables.schema import clock_jump

_TRUST = select(clock_jump.c.seen_at, clock_jump.c.doubted_until)


def read_trust(connection: Connection, *, for_update: bool = False) -> ClockTrust:
    """Return how far the clock is trusted."""
    row = connection.execute(_TRUST.with_for_update() if for_update else _TRUST).one_or_none()
    return ClockTrust() if row is None else ClockTrust(row.seen_at, row.doubted_until)
