"""gunicorn's gevent worker, made fair: a client that sends without end gets no more turns than anybody else.

gevent lets go of a greenlet only where it must wait, and a socket that always has more never makes it wait.
"""

import os
import socket
from typing import Any

import gevent
from gevent.socket import socket as CooperativeSocket  # noqa: N812 - two kinds of sockets meet here
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.workers.ggevent import GeventWorker

from app.web.manners import REFUSED, Environ

REFUSED_SECONDS = 0.05
MISTAKEN_SECONDS = 0.2
FLOODING_SECONDS = 1.0


class FairSocket(CooperativeSocket):
    """A connection of which each turn of the event loop gets one piece: then others have theirs."""

    _turn = -1

    def recv(self, size: int, flags: int = 0) -> bytes:
        """At most so many bytes."""
        if self._turn == gevent.get_hub().loop.iteration:
            gevent.sleep(0)
        piece: bytes = super().recv(size, flags)
        self._turn = gevent.get_hub().loop.iteration
        return piece


class FairWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves each connection through a fair socket, and lets who speaks no HTTP wait before it may come again."""

    def handle(self, listener: Any, client: socket.socket, address: Any) -> None:
        """Serve a connection to its end."""
        os.sched_yield()  # where all come at once, the next one goes to a process that waits for its turn
        fair = FairSocket(client.family, client.type, client.proto, fileno=client.detach())
        super().handle(listener, fair, address)

    def handle_error(self, request: Any, client: Any, address: Any, error: BaseException) -> None:
        """Answer a request that cannot be read; its connection is closed afterwards."""
        super().handle_error(request, client, address, error)
        gevent.sleep(FLOODING_SECONDS if isinstance(error, LimitRequestHeaders) else MISTAKEN_SECONDS)


def give_turn(environ: Environ) -> None:
    """After an answer: others first. Requests sent ahead are served one by one, those of a refused client slowly."""
    gevent.sleep(REFUSED_SECONDS if environ.get(REFUSED) else 0)
