"""gunicorn's gevent worker, made fair: a client that sends without pause gets no more of the event loop."""

import signal
from functools import partial
from socket import SOCK_STREAM
from typing import Any

import gevent
from gevent.socket import socket as CooperativeSocket  # noqa: N812
from gunicorn.workers.ggevent import GeventWorker

from app.server import process_watch, request_head
from app.server.accept_balance import BalancedServer, ProcessSlot
from app.server.connection import Connection
from app.web.middleware import IS_ERROR, Environ

CLIENT = "gunicorn.socket"  # as gunicorn leaves it in the environ
REFUSED_PAUSE_SECONDS = 0.05
UNREADABLE_PAUSE_SECONDS = 0.2
HEADER_FLOOD_PAUSE_SECONDS = 1.0

process_watch.install()
request_head.install()


class FairGeventWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Yields to other connections after each request, and delays a client whose requests cannot be parsed."""

    def init_process(self) -> None:
        """Start in the forked process. Copy the settings: gunicorn looks several of them up with every request."""
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self.slot = ProcessSlot(self.age)
        super().init_process()

    sockets: list[Any]

    def patch(self) -> None:
        """Make the listening sockets cooperative. gunicorn's own method would also patch; the master has done it."""
        self.sockets = [
            CooperativeSocket(listener.FAMILY, SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]

    def init_signals(self) -> None:
        """Install the handlers, then take the stop signals that came since the fork; gunicorn.conf.py blocks them."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def server_class(self, listener: Any, *, spawn: Any, **_for_wsgi: Any) -> BalancedServer:
        """Return the server that accepts this process's connections; gunicorn calls this as if it were a class."""
        return BalancedServer(listener, partial(self.handle, listener), self.slot, spawn=spawn)

    def notify(self) -> None:
        """Signal to the master and the other web processes that this one is alive."""
        super().notify()
        if self.alive:
            self.slot.beat()

    def handle(self, listener: Any, client: Connection, address: Any) -> None:
        """Serve a connection until it is closed."""
        self.slot.add(1)
        try:
            super().handle(listener, client, address)
        finally:
            self.slot.add(-1)

    def handle_request(self, listener_name: Any, request: Any, client: Connection, address: Any) -> None:
        """Serve one request; gunicorn's hook `post_request` then calls `flush_and_yield`."""
        client.cork()
        super().handle_request(listener_name, request, client, address)

    def handle_error(self, _request: Any, client: Connection, _address: Any, error: BaseException) -> None:
        """Answer a request that cannot be parsed, then wait before its connection is closed.

        What ends the process or its greenlets is no error of the client's: it gets no answer.
        """
        from app.server.refusals import refuse  # here, because it imports what must come after the monkey patch

        if isinstance(error, Exception):
            client.uncork()
            answer = refuse(self.wsgi.extensions["wats"].metrics, self.log, client, error)
            is_flood = answer.code == "headers_too_large"
            gevent.sleep(HEADER_FLOOD_PAUSE_SECONDS if is_flood else UNREADABLE_PAUSE_SECONDS)


def flush_and_yield(environ: Environ) -> None:
    """Send the complete response, then let other greenlets run.

    Pipelined requests are so served one by one, and those of a refused client slowly. If the response cannot be sent,
    the connection is aborted.
    """
    client: Connection | None = environ.get(CLIENT)
    if client is not None:
        try:
            client.uncork()
        except OSError:
            client.abort()
    gevent.sleep(REFUSED_PAUSE_SECONDS if environ.get(IS_ERROR) else 0)
