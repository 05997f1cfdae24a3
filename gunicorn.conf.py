"""gunicorn's settings. They come from the same place as those of `flask wats serve`: flags become environment.

The settings are loaded here, in the master, so that a wrong one ends the start with one message and code 78, and
not in a loop of failing workers. Imports stay light: whatever is imported here precedes gevent's monkey patch.
"""

import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from app.config import ConfigError, load_settings
from app.server.access_log import AccessLogger
from app.startup.banner import print_banner, print_warnings
from app.startup.handover import hand_over

SUPERVISED = "WATS_SUPERVISED"
UNREAD_MILLISECONDS = 20_000
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a folder in memory, for files that nobody needs after a stop

try:
    _settings = load_settings()
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(78)
hand_over(_settings)
AccessLogger.secrets = _settings.secret_values


def _raise_file_limit():
    """Use all the descriptors we may have: the usual soft limit of 1024 is soon reached by clients that only wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (65536, 10240):  # macOS takes no more than the second, whatever it calls its hard limit
        most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return soft


_in_memory = SHARED_MEMORY if Path(SHARED_MEMORY).is_dir() else None
_host = _settings.service.host

bind = f"{f'[{_host}]' if ':' in _host else _host}:{_settings.service.port}"
wsgi_app = "wsgi:app"
workers = _settings.web_processes
worker_class = "app.server.worker.FairGeventWorker"
worker_connections = min(4000, _raise_file_limit() - 200)
worker_tmp_dir = _in_memory
backlog = 2048
forwarded_allow_ips = ""  # nobody: no header may change the path, and contradictory ones cost no webhook
keepalive = 5  # seconds; it is also the deadline for a request's headers
limit_request_fields = 64  # with the next, 256 KiB of headers: each piece of them costs as much as all before it
limit_request_field_size = 4094
timeout = 30
graceful_timeout = max(1, _settings.grace_seconds - 4)
control_socket_disable = True
logger_class = AccessLogger
accesslog = "-"
preload_app = False  # a lock made before the monkey patch deadlocks a worker


def on_starting(server):
    """Give the counters of all processes a folder of this run's own, unless a supervisor already has."""
    if server.cfg.is_ssl:
        sys.stderr.write("wats speaks no TLS itself: leave certfile and keyfile out, and put a proxy in front.\n")
        sys.exit(78)
    if METRICS_FOLDER not in os.environ:
        os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="wats-metrics-", dir=_in_memory)


def when_ready(server):
    """The port is open: say so, once. A client that reads no answer loses its connection after a while."""
    for listener in server.LISTENERS:
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
    if SUPERVISED not in os.environ:
        print_warnings(_settings, sys.stderr)
    print_banner(_settings, sys.stdout)


def post_request(_worker, _request, environ, _response):
    """Send the answer, and let others have their turn before the next request of the same connection."""
    from app.server.worker import flush_and_yield

    flush_and_yield(environ)


def post_worker_init(worker):
    """Open the store in the worker itself, after the monkey patch; and let a stop show in `/readyz` at once."""
    from app.assembly import tune_runtime
    from app.startup import draining

    tune_runtime()
    worker.wsgi.extensions["wats"].store.open()
    stop = signal.getsignal(signal.SIGTERM)

    def drain(number, frame):
        draining.begin()
        stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


def worker_exit(_server, worker):
    """Close the store in order."""
    gateway = getattr(worker.wsgi, "extensions", {}).get("wats")
    if gateway is not None:
        gateway.store.close()


def child_exit(_server, worker):
    """A dead process's gauges must not be counted, and nobody must wait for it to accept."""
    from prometheus_client.multiprocess import mark_process_dead

    from app.server.accept_balance import ProcessSlot

    ProcessSlot(worker.age).leave()
    mark_process_dead(worker.pid)


def on_exit(_server):
    """Take this run's folder away, if it was ours."""
    if SUPERVISED not in os.environ:
        shutil.rmtree(os.environ.get(METRICS_FOLDER, ""), ignore_errors=True)
