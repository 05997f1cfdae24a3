"""The notifier on PostgreSQL: NOTIFY in the transaction, which the server sends at the commit."""

from collections.abc import Sequence
from contextlib import suppress

import gevent
from sqlalchemy import Connection

from app.store.engine import postgres
from app.store.engine.write import CHANNELS, Channel
from app.store.notify.notifier import Listener, Signal

RECONNECT_SECONDS = 1.0
CLOSE_SECONDS = 1.0


class PostgresNotifier:
    """NOTIFY in a write's own transaction; in a process that listens, one connection for all channels."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._signals = {f"wats_{channel}": Signal() for channel in CHANNELS}
        self._listening: gevent.Greenlet[..., None] | None = None
        self._is_closed = False

    def notify_in_transaction(self, connection: Connection, channels: Sequence[Channel]) -> None:
        postgres.notify_at_commit(connection, [f"wats_{channel}" for channel in channels])

    def notify_after_commit(self, channels: Sequence[Channel]) -> None:
        """Do nothing: the server has notified."""

    def listen(self, channel: Channel) -> Listener:
        if self._listening is None:
            self._is_closed = False
            self._listening = gevent.spawn(self._listen_until_closed)
        return Listener(self._signals[f"wats_{channel}"])

    def close(self) -> None:
        """Stop listening. The flag ends the greenlet also when the driver swallows the exception of the kill."""
        self._is_closed = True
        if self._listening is not None:
            self._listening.kill(timeout=CLOSE_SECONDS)
            self._listening = None

    def _listen_until_closed(self) -> None:
        while not self._is_closed:
            with suppress(*postgres.connection_errors()):
                self._listen()
            gevent.sleep(RECONNECT_SECONDS)

    def _listen(self) -> None:
        with postgres.listening(self._url, self._signals) as names:
            for signal in self._signals.values():  # there may have been commits before the connection listened
                signal.notify()
            for name in names:
                self._signals[name].notify()
