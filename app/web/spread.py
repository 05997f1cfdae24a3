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

from app.web.connection import Connection

PLACES = 256
BEAT_SECONDS = 2.5
PAUSE_SECONDS = 0.002
MOST_PAUSES = 25

_memory = memoryview(mmap.mmap(-1, 2 * PLACES * 8)).cast("q")  # made in the master, and shared by all it forks
_counts, _beats = _memory[:PLACES], _memory[PLACES:]


class Place:
    """Where a web process says how many connections it has, and that it is alive; each writes its own alone."""

    def __init__(self, number: int) -> None:
        self._at = number % PLACES
        _counts[self._at] = 0

    def beat(self) -> None:
        """Say that this process accepts connections; to be said again every second or so."""
        _beats[self._at] = time.monotonic_ns()

    def leave(self) -> None:
        """Say that it accepts none any more."""
        _beats[self._at] = 0

    def add(self, connections: int) -> None:
        """So many more, or fewer."""
        _counts[self._at] += connections

    def is_ahead(self) -> bool:
        """Tells whether another process should accept first: it has clearly fewer."""
        alive_since = time.monotonic_ns() - int(BEAT_SECONDS * 1e9)
        places = enumerate(zip(_counts, _beats, strict=True))
        others = [count for at, (count, beat) in places if beat > alive_since and at != self._at]
        return bool(others) and _counts[self._at] > min(others) + 1 + min(others) // 16


class EvenServer(StreamServer):
    """Accepts connections, one at a time, while this process is not ahead of the others.

    It waits for the others for 50 ms at most: one that lives may still be unable to accept.
    """

    max_accept = 1

    def __init__(self, listener: Any, handle: Callable[..., Any], place: Place, **settings: Any) -> None:
        super().__init__(listener, handle, **settings)
        self._place = place
        self._pauses = 0

    def do_read(self) -> tuple[Connection, Any] | None:  # type: ignore[override]  # None is allowed, the stubs forgot
        """A new connection and its address; none if nobody is there, or if it is for somebody else."""
        if self._pauses < MOST_PAUSES and self._place.is_ahead():
            self._pauses += 1
            self.stop_accepting()
            gevent.spawn_later(PAUSE_SECONDS, self._go_on)
            return None
        self._pauses = 0
        accepted: tuple[socket.socket, Any] | None = super().do_read()
        if accepted is None:
            return None
        client, address = accepted
        return Connection(client.family, client.type, client.proto, fileno=client.detach()), address

    def close(self) -> None:
        """Accept nothing any more."""
        self._place.leave()
        super().close()

    def _go_on(self) -> None:
        if self.started:
            self.start_accepting()
