"""Runs migrations while others use the tables: in short attempts, on PostgreSQL. A part of migrations.

A change of a table waits for the transactions that use it, and all that come to the table meanwhile wait behind the
change. So each attempt gives up soon, and lets these through before the next one. This holds for every migration, as
each of them goes on where it was.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

log = logging.getLogger(__name__)

WAITS = (
    "other transactions use a table that is to be changed, and the upgrade asks for it again and again, for a minute"
)
LOCK_TIMEOUT = "300ms"
"""How long a webhook may wait behind a change of a table."""

PAUSE_SECONDS = 0.7
ATTEMPTS = 60
"""Together a minute. What holds a table for longer, such as a dump, is for the operator to end."""

SHOW_LOCK_TIMEOUT = text("SHOW lock_timeout")
SET_LOCK_TIMEOUT = text("SELECT set_config('lock_timeout', :value, false)")
_LOCK_NOT_AVAILABLE = "55P03"


def in_short_attempts(engine: Engine, migrate: Callable[[Connection], None]) -> None:
    """Run migrations, again and again until each table was free. `migrate` goes on where it has ended."""
    with _session_of_its_own(engine) as connection:
        for attempt in range(ATTEMPTS):
            connection.execute(SET_LOCK_TIMEOUT, {"value": LOCK_TIMEOUT})
            connection.commit()
            try:
                migrate(connection)
                break
            except OperationalError as error:
                connection.rollback()
                if attempt == ATTEMPTS - 1 or not _waited_shortly(connection, error):
                    raise
            if attempt == 0:
                log.warning("store.upgrade_waits", extra={"reason": WAITS})
            time.sleep(PAUSE_SECONDS)


@contextmanager
def _session_of_its_own(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose statements may take any time. Nothing else gets it afterwards, with its limits."""
    with engine.connect() as connection:
        try:
            connection.execute(text("SET statement_timeout = 0"))
            yield connection
        finally:
            connection.invalidate()


def _waited_shortly(connection: Connection, error: OperationalError) -> bool:
    """Return whether the short wait for a lock was over. The build of an index has a limit of its own."""
    if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
        return False
    return str(connection.execute(SHOW_LOCK_TIMEOUT).scalar_one()) == LOCK_TIMEOUT
