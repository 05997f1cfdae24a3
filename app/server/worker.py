"""gunicorn's gevent worker, made fair: a client that sends without end gets no more turns than anybody else."""

from functools import partial
from typing import Any

import gevent
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.workers.ggevent import GeventWorker

from app.server.accept_balance import BalancedServer, ProcessSlot
from app.server.connection import Connection
from app.web.middleware import REFUSED, Environ

CLIENT = "gunicorn.socket"  # as gunicorn leaves it in the environ
REFUSED_SECONDS = 0.05
MISTAKEN_SECONDS = 0.2
FLOODING_SECONDS = 1.0


class FairGeventWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves each connection in turns, and lets who speaks no HTTP wait before it may come again."""

    def init_process(self) -> None:
        """Begin in the new process, with each setting at hand: gunicorn asks for several with every request."""
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self.slot = ProcessSlot(self.age)
        super().init_process()

    def server_class(self, listener: Any, *, spawn: Any, **_for_wsgi: Any) -> BalancedServer:
        """The server that accepts this process's connections; gunicorn takes it for a class."""
        return BalancedServer(listener, partial(self.handle, listener), self.slot, spawn=spawn)

    def notify(self) -> None:
        """Tell the master, and the other web processes, that this one is alive."""
        super().notify()
        if self.alive:
            self.slot.beat()

    def handle(self, listener: Any, client: Connection, address: Any) -> None:
        """Serve a connection to its end."""
        self.slot.add(1)
        try:
            super().handle(listener, client, address)
        finally:
            self.slot.add(-1)

    def handle_request(self, listener_name: Any, request: Any, client: Connection, address: Any) -> None:
        """Serve one request; `flush_and_yield` ends it."""
        client.cork()
        super().handle_request(listener_name, request, client, address)

    def handle_error(self, request: Any, client: Connection, address: Any, error: BaseException) -> None:
        """Answer a request that cannot be read; its connection is closed afterwards."""
        client.uncork()
        super().handle_error(request, client, address, error)
        gevent.sleep(FLOODING_SECONDS if isinstance(error, LimitRequestHeaders) else MISTAKEN_SECONDS)


def flush_and_yield(environ: Environ) -> None:
    """The answer is complete: send it, then let others have their turn.

    Requests sent ahead are served one by one, those of a refused client slowly. An answer that cannot be sent ends
    its connection.
    """
    client: Connection | None = environ.get(CLIENT)
    if client is not None:
        try:
            client.uncork()
        except OSError:
            client.abort()
    gevent.sleep(REFUSED_SECONDS if environ.get(REFUSED) else 0)
