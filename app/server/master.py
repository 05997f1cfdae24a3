"""gunicorn's master: it makes once what all web processes need, and forks them. It runs no event loop itself.

It is patched as they are, because a lock made before gevent's monkey patch would stop them. But a fork copies an
event loop with all that it waits for; so the master sleeps, and makes its sockets, with Python's own functions.
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
    """Run the master in this process, with the project's settings. A successor (USR2) is run with these arguments."""
    sys.argv = [gunicorn.__main__.__file__, "--config", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
    try:
        WSGIApplication(prog="gunicorn").run()
    except SystemExit as end:  # of the master, and of each web process
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def load_shared_code(settings: Settings) -> None:
    """Load and make what every web process needs with these settings. What is made here is in memory once.

    The garbage collector rests meanwhile: it would look through all that is loaded again and again, and find nothing.
    """
    gc.disable()
    import app.server.refusals  # noqa: F401
    from app.assembly import load_code
    from app.factory import application_of

    load_code(settings)
    application_of(settings)
    get_hub().destroy(destroy_loop=True)  # urllib3 starts one: when imported, it makes a socket to look for IPv6
    if not gc.get_freeze_count():  # after a reload the application of before is garbage
        gc.freeze()  # the collector would write to what is shared, and so copy it
    gc.enable()


def _with(module: Any, **originals: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(module), **originals})
