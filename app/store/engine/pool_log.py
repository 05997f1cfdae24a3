"""Lost connections in the log: one line of ours a minute, where SQLAlchemy's pools write a trace for each."""

import logging

from app.log import NativeLockHandler, Throttle

log = logging.getLogger(__name__)

POOLS = logging.getLogger("sqlalchemy.pool")


class LostConnections(NativeLockHandler):
    """Turns the records of the pools into `store.connection_lost`. Their texts, which may hold data, are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._throttle = Throttle()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0] if record.exc_info else None
        reason = error.__name__ if error else "not given back to the pool"
        repeats = self._throttle.repeats(reason)
        if repeats is not None:
            log.warning("store.connection_lost", extra={"reason": reason, "repeats": repeats or None})


def summarise_lost_connections() -> None:
    """Let the pools of this process log through us."""
    if POOLS.propagate:
        POOLS.propagate = False
        POOLS.addHandler(LostConnections())
