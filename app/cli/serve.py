"""`serve`: run the whole gateway with one command."""

import sys
from dataclasses import asdict

import click

from app.cli.child import Child
from app.cli.options import serve_options
from app.cli.start_checks import (
    bring_schema_to_head,
    refuse_few_descriptors,
    refuse_taken_port,
    stoppable,
)
from app.cli.supervisor import GUNICORN, ROOT, WORKER, Supervisor
from app.cli.tables import print_rows
from app.config import Flags, Settings, child_environment, dry_run_settings, explain_settings, load_settings
from app.config.start_options import COUNTER_FOLDER
from app.log import configure_logging, log_uncaught_errors, take_over_output
from app.startup import counter_folder
from app.startup.banner import print_warnings
from app.startup.beats import NOTIFY_SOCKET, beats_of_this_process

WORKER_DELAY_SECONDS = 0.7
"""The worker starts this much later: a start uses a whole processor, and clients wait for the web processes only."""


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
        sys.exit(serve(load_settings(flags), with_worker=not without_worker))


def serve(settings: Settings, *, with_worker: bool) -> int:
    """Run until stopped; return the exit code."""
    configure_logging(secrets=settings.secret_values)
    log_uncaught_errors()
    print_warnings(settings, sys.stderr)
    with stoppable():
        refuse_few_descriptors()
        refuse_taken_port(settings.service.host, settings.service.port)
        bring_schema_to_head(settings)
    environ = child_environment(settings)
    environ.pop(NOTIFY_SOCKET, None)  # this process speaks for its children
    if (folder := counter_folder.enter(settings)) is not None:
        environ[COUNTER_FOLDER.variable] = str(folder.path)
    children = [Child("web", GUNICORN, essential=True)]
    if with_worker:
        children.append(Child("worker", WORKER, due=WORKER_DELAY_SECONDS))
    try:
        supervisor = Supervisor(
            children,
            environ,
            folder=ROOT,
            grace_seconds=settings.grace_seconds,
            beats=beats_of_this_process(),
        )
        return supervisor.run()
    finally:
        counter_folder.leave()


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
