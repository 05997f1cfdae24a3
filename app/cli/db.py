"""`db`: the schema of the database."""

import json

import click

from app.assembly import build_gateway
from app.cli import CommandFailed
from app.cli.options import start_options
from app.config import Flags, load_settings
from app.log import configure_logging
from app.store import SchemaStatus


@click.group("db")
def db_group() -> None:
    """The database's schema."""


@db_group.command("upgrade")
@start_options
def upgrade(flags: Flags) -> None:
    """Bring the schema to head, under a lock that dies with its holder."""
    settings = load_settings(flags)
    configure_logging(secrets=settings.secret_values)
    status = build_gateway(settings).store.upgrade_schema()
    click.echo(f"schema {status.version}, head {status.head}")
    _require_compatible(status)


@db_group.command("status")
@start_options
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def status(flags: Flags, as_json: bool) -> None:
    """Tell the schema's version and this code's head; exit code 1 when they do not fit."""
    store = build_gateway(load_settings(flags)).store
    store.open()
    found = store.schema_status()
    if as_json:
        click.echo(json.dumps({"schema": found.version, "head": found.head, "compatible": found.compatible}))
    else:
        click.echo(f"schema {found.version or 'none'}, head {found.head}")
    _require_compatible(found)


def _require_compatible(status: SchemaStatus) -> None:
    if status.compatible:
        return
    if (status.version or "") > status.head:
        raise CommandFailed("the schema is newer than this code can use; run newer code")
    raise CommandFailed("the schema does not fit this code; run `flask wats db upgrade`")
