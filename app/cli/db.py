"""`db`: upgrade or check the schema of the database, and clean its file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.assembly import build_gateway
from app.cli import CommandFailed
from app.cli.opened_store import reporting_store_errors, require_compatible, store_to_upgrade
from app.cli.options import as_json_option, start_options
from app.cli.patience import READER_IN_THE_WAY, Patience
from app.cli.progress import count_of
from app.config import Flags, load_settings
from app.log import configure_logging, log_uncaught_errors
from app.store import Store


@click.group("db")
def db_group() -> None:
    """Upgrade or check the schema of the database, and clean its file."""


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


@db_group.command("catch-up")
@start_options
def catch_up(flags: Flags) -> None:
    """Clean up what older code has left in this database since the upgrade.

    Run it beside the gateway, after the last process of the older code has ended. It adds to events of the older
    code the names by which a customer is erased, and overwrites deleted rows that are still in a SQLite file.
    """
    with _opened(flags) as store:
        names = _add_names(store)
        store.upkeep.expect_remains()
        while store.upkeep.wipe_free_pages():
            pass
        _clean_gaps(store)
        store.retention.empty_log()
    wiped = ", and wiped what was deleted" if store.kind == "sqlite" else ""
    click.echo(f"done: added {count_of(names, 'name')}{wiped}")


@db_group.command("rewrite")
@start_options
def rewrite(flags: Flags) -> None:
    """Rewrite a SQLite file: it gets smaller, and no byte of what was deleted is left in it.

    Meanwhile nothing is written: webhooks get 503, and Meta sends them again. Twice the size of the file must be free
    on its disk.
    """
    with _opened(flags) as store:
        if store.kind != "sqlite":
            raise CommandFailed("only a SQLite file is rewritten; on PostgreSQL run VACUUM FULL")
        store.rewrite_file()
    click.echo("done: rewritten")


def _add_names(store: Store) -> int:
    """Add the names that events lack, and return how many."""
    step = store.upkeep.add_names(after=0)
    added = step.added
    while step.next is not None:
        step = store.upkeep.add_names(after=step.next)
        added += step.added
    return added


def _clean_gaps(store: Store) -> None:
    patience = Patience()
    while (position := store.upkeep.clean_gaps()) is not None:
        if patience.ends_at(position):
            raise CommandFailed(READER_IN_THE_WAY)


@contextmanager
def _opened(flags: Flags) -> Iterator[Store]:
    """Open the store that these flags name; fail if this code cannot use its schema."""
    settings = load_settings(flags)
    configure_logging(secrets=settings.secret_values)
    log_uncaught_errors()
    store = build_gateway(settings).store
    with reporting_store_errors(settings):
        store.open()
        try:
            require_compatible(store.schema_status())
            yield store
        finally:
            store.close()
