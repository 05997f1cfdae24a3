"""`serve`: run the whole gateway with one command."""

import os
import signal
import sys
from dataclasses import asdict
from typing import NoReturn

import click

from app.cli.options import serve_options
from app.cli.start_checks import (
    refuse_few_descriptors,
    refuse_partial_installation,
    refuse_taken_port,
    stoppable,
)
from app.cli.tables import print_rows
from app.cli.unmatched import with_unmatched
from app.config import Flags, Settings, child_environment, dry_run_settings, explain_settings, load_settings
from app.log import configure_logging, flush_output, log_uncaught_errors, take_over_output
from app.startup.banner import print_warnings
from app.startup.commands import LAUNCHER, ROOT


@click.command("serve")
@serve_options
@click.option(
    "--without-worker",
    is_flag=True,
    help="Start no background worker; run `flask wats worker` as a process of its own.",
)
@click.option("--print-routes", is_flag=True, help="Print every route with its methods and guard, and exit.")
@click.option("--print-config", is_flag=True, help="Print the resolved settings with their sources, and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with --print-routes or --print-config.")
def serve_command(
    flags: Flags,
    without_worker: bool,
    print_routes: bool,
    print_config: bool,
    as_json: bool,
) -> None:
    """Run the whole gateway. It upgrades the schema, then starts web processes and a background worker."""
    if print_routes:
        print_rows(_routes_of(dry_run_settings(flags)), as_json=as_json)
    elif print_config:
        print_rows([asdict(row) for row in explain_settings(flags)], as_json=as_json)
    else:
        take_over_output()
        serve(load_settings(flags), with_worker=not without_worker)


def serve(settings: Settings, *, with_worker: bool) -> NoReturn:
    """Check what needs no database, and become the launcher, which starts the gateway's processes."""
    configure_logging(secrets=settings.secret_values)
    log_uncaught_errors()
    print_warnings(with_unmatched(settings), sys.stderr)
    with stoppable():
        refuse_partial_installation(ROOT)
        refuse_few_descriptors()
        refuse_taken_port(settings.service.host, settings.service.port)
        flush_output()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # the launcher handles one that comes meanwhile
    os.chdir(ROOT)
    roles = ["web", "worker"] if with_worker else ["web"]
    os.execve(LAUNCHER[0], [*LAUNCHER, *roles], child_environment(settings))  # noqa: S606


def _routes_of(settings: Settings) -> list[dict[str, str]]:
    """Return every route with its methods and guard."""
    from app.factory import create_app  # here, because only --print-routes needs the whole application
    from app.web.guards import guard_of

    app = create_app(settings)
    rows = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        guard = guard_of(app, rule.endpoint)
        methods = " ".join(sorted(rule.methods or ()))
        rows.append({"route": rule.rule, "methods": methods, "guard": guard.name if guard else "none"})
    return rows
