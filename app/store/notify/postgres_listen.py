"""The notifier on PostgreSQL: a ring is a NOTIFY that goes out with its commit."""

from contextlib import suppress

import gevent
from sqlalchemy import Connection, func, select

from app.store.engine import postgres
from app.store.notify.notifier import CHANNELS, Channel, Listener, Signals

RECONNECT_SECONDS = 1.0


class PostgresNotifier:
    """PostgreSQL's own: one connection of this process listens for all channels."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._signals = {channel: Signals() for channel in CHANNELS}
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def notify_in_transaction(self, connection: Connection, *channels: Channel) -> None:
        for channel in channels:
            connection.execute(select(func.pg_notify(_wire_name(channel), "")))

    def notify_after_commit(self, *channels: Channel) -> None:
        """Nothing: the server rang at the commit."""

    def listen(self, channel: Channel) -> Listener:
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._hear_for_ever)
        return Listener(self._signals[channel])

    def close(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None

    def _hear_for_ever(self) -> None:
        while True:
            with suppress(*postgres.connection_errors()):
                self._hear()
            gevent.sleep(RECONNECT_SECONDS)

    def _hear(self) -> None:
        with postgres.listening(self._url, map(_wire_name, CHANNELS)) as names:
            self._signal_all()  # something may have happened while nobody listened
            for name in names:
                self._signals[_channel(name)].notify()

    def _signal_all(self) -> None:
        for signals in self._signals.values():
            signals.notify()


def _wire_name(channel: Channel) -> str:
    return f"wats_{channel}"


def _channel(wire_name: str) -> Channel:
    return "events" if wire_name == _wire_name("events") else "work"
