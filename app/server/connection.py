"""A client's connection: what it sends is taken piece by piece, and what it is answered goes out as a whole."""

from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

import gevent
from gevent.socket import socket as CooperativeSocket  # noqa: N812 - two kinds of sockets meet here

GATHERED_BYTES = 64 * 1024


class Connection(CooperativeSocket):
    """A cooperative socket that takes turns.

    gevent lets go of a greenlet only where it must wait, and a socket that always has more never makes it wait: each
    turn of the event loop gets one piece of it, then others have theirs. gunicorn sends an answer's head and its body
    one by one; between `cork` and `uncork` they are gathered, and cost one call and one packet.
    """

    _turn = -1
    _gathered: bytearray | None = None

    def recv(self, size: int, flags: int = 0) -> bytes:
        """At most so many bytes."""
        if self._turn == gevent.get_hub().loop.iteration:
            gevent.sleep(0)
        piece: bytes = super().recv(size, flags)
        self._turn = gevent.get_hub().loop.iteration
        return piece

    def cork(self) -> None:
        """Gather what is sent from now on."""
        self._gathered = bytearray()

    def uncork(self) -> None:
        """Send what was gathered, and whatever comes from now on at once."""
        gathered, self._gathered = self._gathered, None
        if gathered:
            self._send_whole(gathered)

    def abort(self) -> None:
        """Nothing more comes from here or goes there: of an answer that was lost the client must not read a part,
        or the next one in its slot."""
        self._gathered = None
        with suppress(OSError):
            self.shutdown(SHUT_RDWR)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it; or keep it, while the answer is small, until it is complete."""
        if self._gathered is not None and len(self._gathered) + len(data) <= GATHERED_BYTES:
            self._gathered += data
            return
        self._send_gathered()
        super().sendall(data, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file, after what was gathered before it."""
        self._send_gathered()
        sent: int = super().sendfile(file, offset, count)
        return sent

    def _send_gathered(self) -> None:
        if self._gathered:
            self.uncork()
            self.cork()

    def _send_whole(self, answer: bytearray) -> None:
        """All at once as a rule: `sendall` would first ask the system how much fits."""
        sent = self.send(answer)
        if sent < len(answer):
            super().sendall(memoryview(answer)[sent:])
