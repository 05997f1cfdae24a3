"""The background worker's own process: `python -m app.worker`, told everything by its environment.

gevent's monkey patch comes before every other import: a lock made before it could stop the process for good.
"""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import signal
import sys

from gevent.event import Event

from app.assembly import build_gateway, build_worker, tune_runtime
from app.config import ConfigError, load_settings
from app.jobs.executor import Failpoint
from app.jobs.watchdog import Watchdog
from app.log import configure_logging

EXIT_BROKEN, EXIT_CONFIGURATION = 70, 78


def _nothing(_point: str) -> None:
    """Nobody watches the points where a process may be killed."""


def main(on_failpoint: Failpoint = _nothing) -> int:
    """Work until told to stop; the exit code."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIGURATION
    configure_logging(secrets=settings.secret_values)
    gateway = build_gateway(settings)
    gateway.store.open()
    worker = build_worker(gateway, on_failpoint)
    watchdog, stop = Watchdog(), _stop_event()
    tune_runtime()
    watchdog.start()
    sound = worker.run(stop, grace_seconds=settings.grace_seconds - 2)
    watchdog.stop()
    gateway.store.close()
    return 0 if sound and not gateway.store.is_broken else EXIT_BROKEN


def _stop_event() -> Event:
    """Set by the first signal to stop; a second one ends the process at once."""
    stop = Event()

    def begin(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, begin)
    return stop


if __name__ == "__main__":
    sys.exit(main())
