"""The notifier: tells other processes that something was committed, so that nobody has to ask again and again.

A ring says "look", never what there is; one that is lost costs a poll's delay and nothing else. On SQLite each
listener has a named pipe beside the database; on PostgreSQL a ring is a NOTIFY that goes out with its commit.
"""

from typing import Literal, Protocol

from gevent.event import Event
from sqlalchemy import Connection

Channel = Literal["work", "events"]
CHANNELS: tuple[Channel, ...] = ("work", "events")


class Listener:
    """Hears the signals of one channel; those between two waits are not missed."""

    def __init__(self, signals: "Signals") -> None:
        self._signals = signals
        self._heard = signals.count

    def wait(self, seconds: float) -> bool:
        """Wait for a ring since the last wait, so many seconds at most; True if there was one."""
        notified = self._signals.wait(self._heard, seconds)
        self._heard = self._signals.count
        return notified


class Signals:
    """How often a channel has notified in this process, and who waits for the next time."""

    def __init__(self) -> None:
        self.count = 0
        self._next = Event()

    def notify(self) -> None:
        """Wake everybody who waits."""
        self.count += 1
        notified, self._next = self._next, Event()
        notified.set()

    def wait(self, heard: int, seconds: float) -> bool:
        """Wait until it has notified more often than `heard`."""
        return self.count > heard or bool(self._next.wait(seconds))


class Notifier(Protocol):
    """Signals a channel with or after a commit, and listens to it."""

    def notify_in_transaction(self, connection: Connection, *channels: Channel) -> None:
        """Called inside the transaction that gives reason to ring."""
        ...

    def notify_after_commit(self, *channels: Channel) -> None:
        """Called once that transaction is durable."""
        ...

    def listen(self, channel: Channel) -> Listener:
        """Hear the signals of a channel from now on."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...
