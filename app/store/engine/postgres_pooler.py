"""Notices a transaction pooler in front of PostgreSQL, such as PgBouncer in transaction mode.

It gives each transaction of a connection whichever session is free. Settings, LISTEN, advisory locks and prepared
statements of a session are then lost, or are another client's. A pooler in session mode does no harm.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

ROUNDS = 4
"""A pooler that hands out its sessions in turn gives away this connection's session only after others."""


class TransactionPooler(Exception):
    """Transactions of one connection run in different sessions."""


class PoolerCheck:
    """The check of the connections of one engine. It costs a direct connection no round trip."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._is_proven = False

    def refuse_pooler(self, connection: Any, session: int) -> None:
        """Raise `TransactionPooler` if the connection has no session of its own.

        `session` is the process id of the server's session, as the session itself says. When it connected, the server
        named the same id, but a pooler names one of its own. Then other connections are made, to see whether they are
        given the same session. Once one connection has proven that they are not, the others are not asked.
        """
        if self._is_proven or session == connection.info.backend_pid:
            return
        if self._gives_session_away(connection, session):
            raise TransactionPooler
        self._is_proven = True

    def _gives_session_away(self, connection: Any, session: int) -> bool:
        connection.commit()  # now a transaction pooler may give the session to another connection
        with ExitStack() as others:
            for _ in range(ROUNDS):
                other = others.enter_context(closing(self._connect()))
                if session_of(other) == session or session_of(connection) != session:
                    return True
                connection.commit()
        return False


def session_of(connection: Any) -> int:
    """Return the process id of the server's session, in a transaction that stays open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
