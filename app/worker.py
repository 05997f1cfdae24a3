"""The process of the background worker: `python -m app.worker`. Its settings come from its environment.

gevent's monkey patch comes before every other import: a lock created before it could block the process forever.
"""
# ruff: noqa: E402

from app.gevent_patch import patch

patch()

from app.startup.early_stop import end_at_sigterm

if __name__ == "__main__":
    end_at_sigterm()

import signal
import sys
from contextlib import suppress

import gevent
from gevent.event import Event

from app.assembly import build_gateway, build_worker, load_code, open_gateway, tune_runtime
from app.config import ConfigError, Settings, load_settings
from app.gateway import Gateway
from app.jobs.executor import Failpoint
from app.jobs.watchdog import Watchdog
from app.log import configure_logging, log_failed_greenlets, log_uncaught_errors, take_over_output
from app.startup import counter_folder
from app.startup.beats import beats_of_this_process
from app.startup.handover import inherited
from app.startup.linux import name_process
from app.startup.lost_lines import count_lost_lines
from app.startup.role_file import RoleFile

EXIT_BROKEN, EXIT_CONFIGURATION = 70, 78
MARGIN_SECONDS = 1.5
"""How long before the end of the grace period the process ends itself; at its end the supervisor would kill it."""

CLOSE_SECONDS = 1.0
"""How long closing the store may take, at the end."""


def no_failpoint(_name: str) -> None:
    """Let the process live: only a crash test kills it at a failpoint."""


def main(on_failpoint: Failpoint = no_failpoint) -> int:
    """Work until a signal stops the process. Return its exit code."""
    name_process("wats-worker")
    take_over_output()
    try:
        settings = inherited() or load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIGURATION
    gateway = _open_gateway(settings)
    worker = build_worker(gateway, on_failpoint)
    beats, role_file = beats_of_this_process(), RoleFile(settings.run_dir, "worker")
    watchdog, stop = Watchdog(), _stop_event()
    tune_runtime()
    watchdog.start()
    stop_seconds = max(1.0, settings.grace_seconds - MARGIN_SECONDS)

    def show_work() -> None:
        beats.beat()
        role_file.record_beat()

    def begin_stop() -> None:
        beats.announce_stop()
        role_file.remove()
        watchdog.limit_stop(stop_seconds)

    is_sound = worker.run(stop, grace_seconds=stop_seconds - CLOSE_SECONDS, on_progress=show_work, on_stop=begin_stop)
    _close(gateway)
    return 0 if is_sound and not gateway.store.is_broken else EXIT_BROKEN


def _open_gateway(settings: Settings) -> Gateway:
    """Configure the log, join the counters of this run, and make the gateway with its store open."""
    configure_logging(secrets=settings.secret_values)
    log_uncaught_errors()
    log_failed_greenlets()
    counter_folder.enter(settings)
    load_code(settings)
    gateway = build_gateway(settings)
    open_gateway(gateway)
    count_lost_lines(gateway.metrics)
    return gateway


def _close(gateway: Gateway) -> None:
    with suppress(gevent.Timeout), gevent.Timeout(CLOSE_SECONDS):
        gateway.store.close()
        gateway.tracing.close()
    counter_folder.leave()


def _stop_event() -> Event:
    """Return an event that the first SIGTERM or SIGINT sets. A second one ends the process at once."""
    stop = Event()

    def stop_once(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_once)
    return stop


if __name__ == "__main__":
    sys.exit(main())
