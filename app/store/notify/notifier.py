"""The notifier: wakes listeners in other processes after a commit, so that they need not poll the database often.

A notification says that something was committed, not what. Each listener also polls, so a lost notification costs a
delay and nothing else.
"""

from typing import Protocol

from gevent.event import Event

from app.store.engine.write import Channel, CommitNotifier


class Listener:
    """Waits for notifications of one channel. Those that arrive between two waits are not missed."""

    def __init__(self, signal: "Signal") -> None:
        self._signal = signal
        self._seen = signal.count

    def wait(self, seconds: float) -> bool:
        """Wait for a notification since the last wait. Return False if there was none within this many seconds."""
        notified = self._signal.wait(self._seen, seconds)
        self._seen = self._signal.count
        return notified


class Signal:
    """Counts the notifications of a channel in this process, and wakes the greenlets that wait for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._next = Event()

    def notify(self) -> None:
        """Wake every greenlet that waits."""
        self.count += 1
        notified, self._next = self._next, Event()
        notified.set()

    def wait(self, seen: int, seconds: float) -> bool:
        """Wait until there have been more notifications than `seen`. Return False if there were none in time."""
        return self.count > seen or bool(self._next.wait(seconds))


class Notifier(CommitNotifier, Protocol):
    """Wakes listeners in all processes, and makes those of this process."""

    def listen(self, channel: Channel) -> Listener:
        """Return a listener for what is committed from now on."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...
