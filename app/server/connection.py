"""A client's connection: it yields to other greenlets between reads, and sends a response with one system call."""

from contextlib import suppress
from socket import MSG_DONTWAIT, MSG_PEEK, SHUT_RDWR
from typing import Any

import gevent
from gevent.socket import socket as CooperativeSocket  # noqa: N812 - two kinds of sockets meet here

MAX_BUFFERED_BYTES = 64 * 1024


class Connection(CooperativeSocket):
    """A cooperative socket that shares the event loop fairly.

    gevent switches greenlets only where one must wait, and a socket that always has data never waits: here each
    iteration of the event loop reads one piece, then other greenlets run. gunicorn sends a response's head and body
    separately; between `cork` and `uncork` they are buffered, so that they cost one system call and one packet.
    """

    _last_iteration = -1
    _buffer: bytearray | None = None

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read at most this many bytes, at most once in an iteration of the event loop."""
        if self._last_iteration == gevent.get_hub().loop.iteration:
            gevent.sleep(0)
        piece: bytes = super().recv(size, flags)
        self._last_iteration = gevent.get_hub().loop.iteration
        return piece

    def is_closed_by_peer(self) -> bool:
        """Return whether the client has gone, or will send nothing more. Nothing is read, and nothing waits."""
        try:
            return not self._sock.recv(1, MSG_PEEK | MSG_DONTWAIT)  # type: ignore[attr-defined]  # gevent would wait
        except BlockingIOError:
            return False
        except OSError:
            return True

    def cork(self) -> None:
        """Buffer what is sent from now on."""
        self._buffer = bytearray()

    def uncork(self) -> None:
        """Send the buffer, and from now on everything at once."""
        buffer, self._buffer = self._buffer, None
        if buffer:
            self._send_whole(buffer)

    def abort(self) -> None:
        """Drop the buffer and shut the socket down.

        After a failed write the client must receive neither a partial response nor a later one in its place.
        """
        self._buffer = None
        with suppress(OSError):
            self.shutdown(SHUT_RDWR)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it, or buffer it while the connection is corked and the response is small."""
        if self._buffer is not None and len(self._buffer) + len(data) <= MAX_BUFFERED_BYTES:
            self._buffer += data
            return
        self._flush()
        super().sendall(data, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file after what is buffered."""
        self._flush()
        sent: int = super().sendfile(file, offset, count)
        return sent

    def _flush(self) -> None:
        if self._buffer:
            self.uncork()
            self.cork()

    def _send_whole(self, response: bytearray) -> None:
        """Send it with one `send`, if the socket takes it: `sendall` would first ask the system how much fits."""
        sent = self.send(response)
        if sent < len(response):
            super().sendall(memoryview(response)[sent:])
