"""`worker`: the background work as a process of its own."""

import os
import sys
from datetime import UTC, datetime

import click

from app.assembly import build_gateway
from app.cli import CommandFailed
from app.cli.options import start_options
from app.cli.processes import ROOT, WORKER
from app.config import Flags, Settings, child_environment, load_settings
from app.jobs.runner import is_anybody_working
from app.startup.banner import print_warnings


@click.command("worker")
@start_options
@click.option("--check", is_flag=True, help="Only tell, by the exit code, whether a worker's heartbeat is fresh.")
def worker_command(flags: Flags, check: bool) -> None:
    """Run the background work until told to stop. It does not migrate; it waits for the schema."""
    settings = load_settings(flags)
    if check:
        _check(settings)
        return
    print_warnings(settings, sys.stderr)
    os.chdir(ROOT)
    os.execve(WORKER[0], WORKER, child_environment(settings))  # noqa: S606 - this very process becomes the worker


def _check(settings: Settings) -> None:
    store = build_gateway(settings).store
    store.open()
    if not is_anybody_working(store, datetime.now(UTC)):
        raise CommandFailed("no worker has given a sign of life lately")
