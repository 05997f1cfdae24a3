"""Spread connections evenly over the web processes: a process with clearly more than another lets it accept first.

All of them share one listening socket, and the kernel chooses which one it wakes: of 64 connections one of two
processes got 62, and then one core did the work of two.
"""

import mmap
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.server import StreamServer

from app.server.connection import Connection

SLOTS = 256
MAX_BEAT_AGE_SECONDS = 2.5
DEFER_SECONDS = 0.002
MAX_DEFER_SECONDS = 0.05
ACCEPT_FREELY_SECONDS = 1.0

_memory = memoryview(mmap.mmap(-1, 2 * SLOTS * 8)).cast("q")  # made in the master and shared by all it forks
_counts, _beats = _memory[:SLOTS], _memory[SLOTS:]


class ProcessSlot:
    """A web process's slot in the shared memory: its number of connections, and the time of its last heartbeat.

    Each process writes to its own slot only.
    """

    def __init__(self, number: int) -> None:
        self._index = number % SLOTS
        self._connections = 0
        self._has_left = False

    def beat(self) -> None:
        """Record that this process accepts connections; to be called every second or so."""
        if not self._has_left:
            _counts[self._index], _beats[self._index] = self._connections, time.monotonic_ns()

    def leave(self) -> None:
        """Record, for good, that this process no longer accepts connections."""
        self._has_left = True
        _beats[self._index] = 0

    def add(self, connections: int) -> None:
        """Add to the number of connections; a negative number subtracts."""
        self._connections += connections
        _counts[self._index] = self._connections

    def has_more_connections(self) -> bool:
        """Return whether another live process has clearly fewer connections."""
        alive_since = time.monotonic_ns() - int(MAX_BEAT_AGE_SECONDS * 1e9)
        slots = enumerate(zip(_counts, _beats, strict=True))
        others = [count for index, (count, beat) in slots if beat > alive_since and index != self._index]
        return bool(others) and self._connections > min(others) + 1 + min(others) // 16


class BalancedServer(StreamServer):
    """Accepts connections one at a time, and defers while this process has more of them than another one.

    It defers for at most 50 ms. If no other process has accepted by then, the others may be unable to accept: this
    process accepts everything for the next second.
    """

    max_accept = 1

    def __init__(self, listener: Any, handle: Callable[..., Any], slot: ProcessSlot, **settings: Any) -> None:
        super().__init__(listener, handle, **settings)
        self._slot = slot
        self._defer_until = self._deferred_until = self._accept_freely_until = 0.0

    def do_read(self) -> tuple[Connection, Any] | None:  # type: ignore[override]  # None is allowed, the stubs forgot
        """Accept a connection and return it with its address; None if there is none, or when it defers."""
        if self.should_defer_accept():
            self.stop_accepting()
            gevent.spawn_later(DEFER_SECONDS, self._resume_accepting)
            return None
        accepted: tuple[socket.socket, Any] | None = super().do_read()
        if accepted is None:
            return None
        client, address = accepted
        return Connection(client.family, client.type, client.proto, fileno=client.detach()), address

    def close(self) -> None:
        """Stop accepting."""
        self._slot.leave()
        super().close()

    def should_defer_accept(self) -> bool:
        """Return whether another process should accept the connection that waits. Starts and ends the deferral."""
        now = time.monotonic()
        if now < self._accept_freely_until:
            return False
        if not self._slot.has_more_connections():
            self._defer_until = 0.0
            return False
        if not self._defer_until or now > self._deferred_until + MAX_DEFER_SECONDS:  # that one was accepted elsewhere
            self._defer_until = now + MAX_DEFER_SECONDS
        if now >= self._defer_until:
            self._accept_freely_until = now + ACCEPT_FREELY_SECONDS
            return False
        self._deferred_until = now + DEFER_SECONDS
        return True

    def _resume_accepting(self) -> None:
        if self.started:
            self.start_accepting()
