"""Notices a transaction pooler in front of PostgreSQL, such as PgBouncer in transaction mode.

It gives each transaction of a connection whichever session is free. Settings, LISTEN, advisory locks and prepared
statements of a session are then lost, or are another client's. A pooler in session mode does no harm.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

ROUNDS = 4
"""A pooler that hands out its sessions in turn or at random may give each connection its own again, for a while."""


class TransactionPooler(Exception):
    """Transactions of one connection run in different sessions."""


class PoolerCheck:
    """The check of a process's connections to one URL. It costs a direct connection no round trip."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._is_proven = False

    def refuse_pooler(self, connection: Any, session: int) -> None:
        """Raise `TransactionPooler` if the connection has no session of its own.

        `session` is the process id of the server's session, as the session itself says. When it connected, the server
        named the same id, but a pooler names one of its own. Then another connection is made, to see whether it is
        given the same session. Once one connection has proven that it is not, the others are not asked.
        """
        if self._is_proven or session == connection.info.backend_pid:
            return
        with self._lock:  # one check at a time: each needs a session that a pooler may not have
            if not self._is_proven and self._gives_session_away(connection, session):
                raise TransactionPooler
            self._is_proven = True

    def _gives_session_away(self, connection: Any, session: int) -> bool:
        """Return whether one of two connections gets the other's session, when their transactions alternate."""
        connection.commit()  # now a transaction pooler may give the session to another connection
        with closing(self._connect()) as other:
            for _ in range(ROUNDS):
                if session_of(other) == session or session_of(connection) != session:
                    return True
                connection.commit()
                other.commit()
        return False


def session_of(connection: Any) -> int:
    """Return the process id of the server's session, in a transaction that stays open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
