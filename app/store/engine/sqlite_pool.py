"""The connection pool of the SQLite reader engine."""

from collections import deque
from contextlib import suppress
from typing import Any

from sqlalchemy.pool import ConnectionPoolEntry, Pool

from app.gevent_patch import native


class SqlitePool(Pool):
    """Never closes a returned connection, so it grows to the largest number used at once.

    A lock that gevent has patched must not be shared by native threads: one that waits for it may never go on.
    `deque.pop` and `append` are atomic and need no lock. SQLAlchemy has such a lock for the first connections of an
    engine, so only one thread at a time connects.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._free: deque[ConnectionPoolEntry] = deque()
        self._connecting = native("_thread", "allocate_lock")()

    def recreate(self) -> "SqlitePool":
        """Return an empty pool of the same kind."""
        return SqlitePool(self._creator, _dispatch=self.dispatch, dialect=self._dialect)

    def dispose(self) -> None:
        """Close the connections that are not in use. A reader may take one meanwhile: take them one by one, too."""
        with suppress(IndexError):
            while True:
                self._free.pop().close()

    def status(self) -> str:
        return f"{len(self._free)} connections are free"

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return self._free.pop()
        except IndexError:
            with self._connecting:
                return self._create_connection()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        self._free.append(record)
