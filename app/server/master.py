"""gunicorn's master: it makes once what all web processes need, and forks them. It runs no event loop itself.

gevent's monkey patch is applied here too, because a lock made before it would block a web process. But a fork copies
an event loop with all that it waits for; so the master sleeps, and makes its sockets, with Python's own functions.
"""

import gc
import os
import queue
import socket
import sys
import time
from types import SimpleNamespace
from typing import Any

import gunicorn.__main__
from gevent import get_hub
from gunicorn import arbiter, sock, systemd
from gunicorn.app.wsgiapp import WSGIApplication

from app.config import Settings
from app.gevent_patch import native
from app.startup.commands import ROOT


def stay_native() -> None:
    """Give gunicorn's modules the native form of those functions that would start an event loop."""
    new_socket = native("socket", "socket")

    def from_descriptor(descriptor: int, family: int, kind: int) -> Any:
        return new_socket(family, kind, fileno=os.dup(descriptor))

    arbiter.queue = _with(queue, SimpleQueue=native("queue", "SimpleQueue"))
    arbiter.time = _with(time, sleep=native("time", "sleep"))
    sock.socket = systemd.socket = _with(socket, socket=new_socket, fromfd=from_descriptor)


def run() -> int:
    """Run the master in this process. On USR2 gunicorn starts the next master with the same `sys.argv`."""
    sys.argv = [gunicorn.__main__.__file__, "--config", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
    try:
        WSGIApplication(prog="gunicorn").run()
    except SystemExit as end:  # raised in the master, and in each web process
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def load_shared_code(settings: Settings) -> None:
    """Load the code and make the application before the fork, so that all web processes share their memory.

    The garbage collector is off meanwhile: it would scan all loaded objects again and again, and free none.
    """
    gc.disable()
    try:
        import app.server.refusals  # noqa: F401
        from app.assembly import load_code
        from app.factory import application_of

        load_code(settings)
        application_of(settings)
        get_hub().destroy(destroy_loop=True)  # importing urllib3 starts it: a socket to look for IPv6
        if not gc.get_freeze_count():  # not after a reload: a freeze would keep the old application
            gc.freeze()  # else the collector writes to shared pages, and the kernel copies them
    finally:
        gc.enable()


def _with(module: Any, **originals: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(module), **originals})
