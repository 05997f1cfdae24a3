"""`deliveries discard` and `receipts dismiss`: take what an operator has looked at out of the alerts."""

from typing import Any

import click

from app.cli.bulk import BulkAction
from app.cli.client import Client
from app.cli.confirm import yes_option
from app.cli.options import as_json_option, client_options
from app.cli.times import since_option, until_option
from app.config import ApiAccess

DISCARD = BulkAction("/deliveries", "discard", "discarded", "dead letter")
DISMISS = BulkAction("/receipts", "dismiss", "dismissed", "unreadable receipt")


@click.command("discard")
@client_options
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--destination", help="Dead letters of this destination.")
@click.option("--types", help="Events of these types, separated by commas; * matches anything.")
@since_option("Events received")
@until_option("Events received")
@click.option("--dry-run", is_flag=True, help="Only count what would be discarded.")
@yes_option
@as_json_option
def discard_command(
    access: ApiAccess,
    ids: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    types: str | None,
    **options: Any,
) -> None:
    """Dismiss dead letters: those with these IDs, or all that the options choose. They raise no alert any more.

    They stay listed as discarded until they are pruned, and can still be replayed. What the options choose is counted
    first, and the command asks before it discards; without a terminal it needs --yes.
    """
    globs = None if types is None else [one.strip() for one in types.split(",")]
    selection = _checked_selection(ids, {**options, "types": globs}, everything=everything)
    DISCARD.run(Client(access), ids, selection, dry_run=dry_run, yes=yes, as_json=as_json)


@click.command("dismiss")
@client_options
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All unreadable receipts.")
@since_option("Received")
@until_option("Received")
@click.option("--dry-run", is_flag=True, help="Only count what would be dismissed.")
@yes_option
@as_json_option
def dismiss_command(
    access: ApiAccess,
    ids: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Dismiss unreadable receipts: those with these IDs, or all that the options choose.

    They raise no alert any more, stay listed as dismissed until they are pruned, and can still be reprocessed. What
    the options choose is counted first, and the command asks before it dismisses; without a terminal it needs --yes.
    """
    selection = _checked_selection(ids, options, everything=everything)
    DISMISS.run(Client(access), ids, selection, dry_run=dry_run, yes=yes, as_json=as_json)


def _checked_selection(ids: tuple[str, ...], options: dict[str, Any], *, everything: bool) -> dict[str, Any]:
    """Return the options that select. Raise `UsageError` unless exactly one way to choose is given."""
    selection = {name: value for name, value in options.items() if value is not None}
    if bool(ids) == (everything or bool(selection)):
        raise click.UsageError("Give either IDs, or --all, or options that select.")
    return selection
