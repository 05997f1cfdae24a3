"""A pool of connections for native threads that read."""

from collections import deque
from typing import Any

from sqlalchemy.pool import ConnectionPoolEntry, Pool


class SqlitePool(Pool):
    """Keeps as many connections as were ever in use at once.

    It has no lock, which native threads of a gevent process must not share: to take from a deque and to put back are
    each one step of the interpreter.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._free: deque[ConnectionPoolEntry] = deque()

    def recreate(self) -> "SqlitePool":
        """An empty one."""
        return SqlitePool(self._creator, _dispatch=self.dispatch, dialect=self._dialect)

    def dispose(self) -> None:
        """Close what is not in use."""
        while self._free:
            self._free.pop().close()

    def status(self) -> str:
        return f"{len(self._free)} connections are free"

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return self._free.pop()
        except IndexError:
            return self._create_connection()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        self._free.append(record)
