"""Connections spread evenly over the web processes: one that has more than another lets it accept first.

They share one listening socket, and the kernel wakes whom it likes: of 64 connections one of two processes got 62,
and then one core did the work of two.
"""

import mmap
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.server import StreamServer

from app.server.connection import Connection

PLACES = 256
BEAT_SECONDS = 2.5
PAUSE_SECONDS = 0.002
PATIENCE_SECONDS = 0.05
HURRIED_SECONDS = 1.0

_memory = memoryview(mmap.mmap(-1, 2 * PLACES * 8)).cast("q")  # made in the master, and shared by all it forks
_counts, _beats = _memory[:PLACES], _memory[PLACES:]


class ProcessSlot:
    """Where a web process says how many connections it has, and that it is alive; each writes its own alone."""

    def __init__(self, number: int) -> None:
        self._at = number % PLACES
        self._connections = 0
        self._has_left = False

    def beat(self) -> None:
        """Say that this process accepts connections; to be said again every second or so."""
        if not self._has_left:
            _counts[self._at], _beats[self._at] = self._connections, time.monotonic_ns()

    def leave(self) -> None:
        """Say, for good, that it accepts none any more."""
        self._has_left = True
        _beats[self._at] = 0

    def add(self, connections: int) -> None:
        """So many more, or fewer."""
        self._connections += connections
        _counts[self._at] = self._connections

    def has_more_connections(self) -> bool:
        """Tells whether another process should accept first: it has clearly fewer."""
        alive_since = time.monotonic_ns() - int(BEAT_SECONDS * 1e9)
        places = enumerate(zip(_counts, _beats, strict=True))
        others = [count for at, (count, beat) in places if beat > alive_since and at != self._at]
        return bool(others) and self._connections > min(others) + 1 + min(others) // 16


class BalancedServer(StreamServer):
    """Accepts connections, one at a time, while this process is not ahead of the others.

    A connection that nobody else takes within 50 ms is its own, and so is what comes in the next second: the others
    may be alive and still unable to accept.
    """

    max_accept = 1

    def __init__(self, listener: Any, handle: Callable[..., Any], slot: ProcessSlot, **settings: Any) -> None:
        super().__init__(listener, handle, **settings)
        self._place = slot
        self._patient_until = self._paused_until = self._accept_freely_until = 0.0

    def do_read(self) -> tuple[Connection, Any] | None:  # type: ignore[override]  # None is allowed, the stubs forgot
        """A new connection and its address; none if nobody is there, or if it is for somebody else."""
        if self.should_defer_accept():
            self.stop_accepting()
            gevent.spawn_later(PAUSE_SECONDS, self._go_on)
            return None
        accepted: tuple[socket.socket, Any] | None = super().do_read()
        if accepted is None:
            return None
        client, address = accepted
        return Connection(client.family, client.type, client.proto, fileno=client.detach()), address

    def close(self) -> None:
        """Accept nothing any more."""
        self._place.leave()
        super().close()

    def should_defer_accept(self) -> bool:
        now = time.monotonic()
        if now < self._accept_freely_until:
            return False
        if not self._place.has_more_connections():
            self._patient_until = 0.0
            return False
        if not self._patient_until or now > self._paused_until + PATIENCE_SECONDS:  # the last one was taken
            self._patient_until = now + PATIENCE_SECONDS
        if now >= self._patient_until:
            self._accept_freely_until = now + HURRIED_SECONDS
            return False
        self._paused_until = now + PAUSE_SECONDS
        return True

    def _go_on(self) -> None:
        if self.started:
            self.start_accepting()
