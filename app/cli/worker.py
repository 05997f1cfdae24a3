"""`worker`: run the background work as a process of its own."""

import os
import signal
import sys

import click

from app.assembly import build_gateway
from app.cli import CommandFailed
from app.cli.opened_store import reporting_store_errors
from app.cli.options import start_options
from app.config import Flags, Settings, child_environment, load_settings
from app.jobs.runner import is_worker_alive
from app.log import flush_output, take_over_output
from app.startup.banner import print_warnings
from app.startup.commands import ROOT, WORKER


@click.command("worker")
@start_options
@click.option(
    "--check", is_flag=True, help="Only check for a worker with a fresh heartbeat; exit code 1 if there is none."
)
def worker_command(flags: Flags, check: bool) -> None:
    """Run the background worker until it is stopped. It does not upgrade the schema; it waits for it."""
    if check:
        _check(load_settings(flags))
        return
    take_over_output()
    settings = load_settings(flags)
    print_warnings(settings, sys.stderr)
    flush_output()
    os.chdir(ROOT)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # the worker, which has no handler yet, unblocks it
    os.execve(WORKER[0], WORKER, child_environment(settings))  # noqa: S606 - this very process becomes the worker


def _check(settings: Settings) -> None:
    with reporting_store_errors(settings):
        store = build_gateway(settings).store
        store.open()
        is_alive = is_worker_alive(store, store.clock.now())
    if not is_alive:
        raise CommandFailed("no worker has a fresh heartbeat")
