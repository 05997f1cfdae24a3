"""`db`: upgrade or check the schema of the database."""

import json

import click

from app.assembly import build_gateway
from app.cli.opened_store import reporting_store_errors, require_compatible, store_to_upgrade
from app.cli.options import as_json_option, start_options
from app.config import Flags, load_settings
from app.log import configure_logging, log_uncaught_errors


@click.group("db")
def db_group() -> None:
    """Upgrade or check the schema of the database."""


@db_group.command("upgrade")
@start_options
@click.option(
    "--adopt", is_flag=True, help="Take a database that does not say whose it is, or that was another account's."
)
def upgrade(flags: Flags, adopt: bool) -> None:
    """Bring the schema to this code's newest version (head), under a lock that ends with its process."""
    settings = load_settings(flags)
    configure_logging(secrets=settings.secret_values)
    log_uncaught_errors()
    with reporting_store_errors(settings):
        status = store_to_upgrade(settings, adopts=adopt).upgrade_schema()
    click.echo(f"schema {status.version}, head {status.head}")
    require_compatible(status)


@db_group.command("status")
@start_options
@as_json_option
def status(flags: Flags, as_json: bool) -> None:
    """Print the schema's version and this code's newest version (head); exit code 1 if they are not compatible."""
    settings = load_settings(flags)
    with reporting_store_errors(settings):
        store = build_gateway(settings).store
        store.open()
        status = store.schema_status()
    if as_json:
        click.echo(json.dumps({"schema": status.version, "head": status.head, "compatible": status.compatible}))
    else:
        click.echo(f"schema {status.version or 'none'}, head {status.head}")
    require_compatible(status)
