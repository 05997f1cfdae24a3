"""`worker`: the background work as a process of its own."""

import signal
import threading
from datetime import UTC, datetime

import click

from app.assembly import build_gateway
from app.cli import CommandFailed
from app.cli.options import start_options
from app.config import Flags, load_settings
from app.corridor.worker import is_anybody_working, run_worker
from app.log import configure_logging


@click.command("worker")
@start_options
@click.option("--check", is_flag=True, help="Only tell, by the exit code, whether a worker's heartbeat is fresh.")
def worker_command(flags: Flags, check: bool) -> None:
    """Run the background work until told to stop. It does not migrate; it waits for the schema."""
    settings = load_settings(flags)
    gateway = build_gateway(settings)
    gateway.store.open()
    if check:
        if not is_anybody_working(gateway.store, datetime.now(UTC)):
            raise CommandFailed("no worker has given a sign of life lately")
        return
    configure_logging(secrets=settings.secret_values)
    run_worker(gateway.store, gateway.clock, _stop_event())
    gateway.store.close()


def _stop_event() -> threading.Event:
    """Set by the first signal to stop; a second one ends the process at once."""
    stop = threading.Event()

    def begin(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, begin)
    return stop
