"""gunicorn's settings, from the same sources as those of `flask wats serve`, which turns its flags into environment.

The master loads the settings, so that a wrong one ends the start with one message and code 78 and not with a loop of
failing workers. After gevent's monkey patch it also makes the application, which the web processes share.
"""
# ruff: noqa: E402

import logging
import os
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from app.startup.early_stop import end_at_sigterm

if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # a reload has the master's own handler
    end_at_sigterm()

from app.gevent_patch import patch

patch()

from app.config import ConfigError, load_settings
from app.config.start_options import SUPERVISED
from app.log import take_over_output
from app.server import master
from app.server.access_log import AccessLogger
from app.server.request_head import HEAD_SECONDS, MAX_HEADER_BYTES, MAX_HEADERS, MAX_LINE_BYTES
from app.startup import counter_folder
from app.startup.banner import print_banner, print_warnings
from app.startup.beats import beats_of_this_process
from app.startup.descriptors import (
    NEEDED_DESCRIPTORS,
    RESERVED_DESCRIPTORS,
    raise_descriptor_limit,
    too_few_descriptors,
)
from app.startup.handover import hand_over, handed_over, inherited
from app.startup.linux import name_process
from app.startup.role_file import RoleFile

MAX_UNREAD_MILLISECONDS = 20_000

name_process("wats-web")
take_over_output()
master.stay_native()
try:
    _settings = inherited() or load_settings()  # inherited from the launcher, and loaded at a reload
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    if (_before := handed_over()) is None:
        sys.exit(78)
    _settings = _before  # a reload (HUP) with a wrong config changes nothing: an exit would end every process
    logging.getLogger("gunicorn.error").error("reload.ignored", extra={"reason": "the settings of before stay"})
hand_over(_settings)
AccessLogger.secrets = _settings.secret_values
_role_file = RoleFile(_settings.run_dir, "web")


_descriptors = raise_descriptor_limit()
if _descriptors < NEEDED_DESCRIPTORS:
    sys.stderr.write(f"{too_few_descriptors(_descriptors)}\n")
    sys.exit(78)

_host = _settings.service.host

bind = f"{f'[{_host}]' if ':' in _host else _host}:{_settings.service.port}"
wsgi_app = "wsgi:app"
workers = _settings.web_processes
worker_class = "app.server.gunicorn_worker.FairGeventWorker"
worker_connections = min(4000, _descriptors - RESERVED_DESCRIPTORS)
backlog = 2048
forwarded_allow_ips = ""  # no proxy is trusted: no header may change the path or cause a refusal
keepalive = HEAD_SECONDS  # also how long a connection may be idle
limit_request_line = MAX_LINE_BYTES
limit_request_fields = MAX_HEADERS
limit_request_field_size = MAX_HEADER_BYTES
timeout = 15  # seconds; a frozen web process may hold the lock that all others need to write
graceful_timeout = max(1, _settings.grace_seconds - 4)
control_socket_disable = True
logger_class = AccessLogger
accesslog = "-"
preload_app = False  # gunicorn would keep the first application, whose settings a reload (HUP) does not change


def _block_stop_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


def _unblock_signals():
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def on_starting(server):
    """Keep a stop signal for a process that is being forked until it has handlers of its own: it would be lost.

    Enter the folder in which the processes of this run share their counters. Make the application that they share.
    """
    os.register_at_fork(before=_block_stop_signals, after_in_parent=_unblock_signals)
    if server.cfg.is_ssl:
        sys.stderr.write("wats does not speak TLS: remove certfile and keyfile, and put a proxy in front.\n")
        sys.exit(78)
    master.load_shared_code(_settings)
    counter_folder.enter(_settings)


def pre_exec(_server):
    """Unblock the signals of the next master (USR2)."""
    _unblock_signals()


def when_ready(server):
    """Print the banner when the port is open. Let the kernel drop a client that does not read its response."""
    for listener in server.LISTENERS:
        if hasattr(socket, "TCP_USER_TIMEOUT") and listener.sock.family != socket.AF_UNIX:
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, MAX_UNREAD_MILLISECONDS)
    if SUPERVISED.variable not in os.environ:
        print_warnings(_settings, sys.stderr)
    print_banner(_settings, sys.stdout)
    _role_file.record_addresses([listener.sock.getsockname() for listener in server.LISTENERS])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        _announce_stop_at(number)


def _announce_stop_at(number):
    """Let this signal say first that the master stops: while it waits for its web processes, it looks at none."""
    stop = signal.getsignal(number)

    def announce_and_stop(number, frame):
        beats_of_this_process().announce_stop()
        stop(number, frame)

    signal.signal(number, announce_and_stop)


def on_reload(_server):
    """Make the application of the new settings. Announce that the master waits for the old web processes to finish.

    Meanwhile it looks at none.
    """
    beats_of_this_process().ask_for_patience()
    master.load_shared_code(_settings)


def post_request(_worker, _request, environ, _response):
    """Send the response, and let other greenlets run before the next request of the same connection."""
    from app.server.gunicorn_worker import flush_and_yield

    flush_and_yield(environ)


def post_worker_init(worker):
    """Open the store in the web process, after the monkey patch. Make SIGTERM turn `/readyz` into 503 at once.

    The web process stops when it has drained: load balancers learn from `/readyz`, some of them late.
    """
    from gevent import spawn_later

    from app.assembly import open_gateway, tune_runtime
    from app.health.web_watch import WebWatch
    from app.log import log_failed_greenlets
    from app.server.access_log import fixed_segments
    from app.startup import draining
    from app.startup.lost_lines import count_lost_lines
    from app.webhook.refusals import EXTENSION

    tune_runtime()
    log_failed_greenlets()
    AccessLogger.own_segments = fixed_segments(rule.rule for rule in worker.wsgi.url_map.iter_rules())
    gateway = worker.wsgi.extensions["wats"]
    open_gateway(gateway)
    count_lost_lines(gateway.metrics)
    WebWatch(gateway, worker.wsgi.extensions[EXTENSION].write).start()
    stop = signal.getsignal(signal.SIGTERM)

    def drain(number, frame):
        draining.begin()
        if _settings.drain_seconds:
            spawn_later(_settings.drain_seconds, stop, number, frame)
        else:
            stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


def worker_exit(_server, worker):
    """Close the store, and export the last spans."""
    gateway = getattr(worker.wsgi, "extensions", {}).get("wats")
    if gateway is not None:
        gateway.store.close()
        gateway.tracing.close()


def child_exit(_server, worker):
    """Free a dead process's slot: the others must not wait for it to accept connections."""
    from app.server.accept_balance import ProcessSlot

    ProcessSlot(worker.age).leave()


def on_exit(_server):
    """Leave the folder of the counters, which the last process of the run removes, and remove the role's file."""
    _role_file.remove()
    counter_folder.leave()
