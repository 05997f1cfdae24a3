"""`deliveries`: list, show and replay the deliveries of a running service."""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import click

from app.cli import CommandFailed
from app.cli.bulk import BulkAction
from app.cli.client import Client
from app.cli.confirm import yes_option
from app.cli.dismissing import discard_command
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options, page_options
from app.cli.progress import count_of
from app.cli.tables import escape_for_terminal, print_json, print_record, print_table
from app.cli.times import since_option, until_option
from app.config import ApiAccess
from app.domain.delivery import DeliveryState
from app.domain.destination import DestinationState

COLUMNS = ("id", "state", "destination", "eventId", "attempts", "lastError", "nextAttemptAt")
ATTEMPT_COLUMNS = ("at", "status", "error", "durationMs")

REPLAY = BulkAction("/deliveries", "replay", "replayed", "delivery", "deliveries")
STOPPED = (DestinationState.PAUSED, DestinationState.DISABLED)

_STATE = click.Choice([state.value for state in DeliveryState])


@click.group("deliveries")
def deliveries_group() -> None:
    """List, show, replay and discard deliveries to destinations."""


deliveries_group.add_command(discard_command)


@deliveries_group.command("list")
@client_options
@click.option("--state", type=_STATE, help="Only deliveries in this state.")
@click.option("--destination", help="Only deliveries to this destination.")
@click.option("--event", help="Only deliveries of the event with this id.")
@since_option("Only of events received")
@until_option("Only of events received")
@page_options
@as_json_option
def list_deliveries(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List deliveries, newest first, each with its last error."""
    print_list(access, "/deliveries", query, COLUMNS, nothing="no deliveries", as_json=as_json, row=_row)


@deliveries_group.command("show")
@client_options
@click.argument("delivery_id")
@as_json_option
def show_delivery(access: ApiAccess, delivery_id: str, as_json: bool) -> None:
    """Show one delivery with its attempts."""
    delivery = Client(access).get(_path(delivery_id))
    if as_json:
        print_json(delivery)
        return
    print_record({name: value for name, value in delivery.items() if name != "attempts"})
    print_table(delivery["attempts"], ATTEMPT_COLUMNS, nothing="no attempts yet")
    answers = [attempt["answer"] for attempt in delivery["attempts"] if attempt.get("answer")]
    if answers:
        click.echo(f"\nthe last answer began with:\n{escape_for_terminal(answers[-1])}")


@deliveries_group.command("replay")
@client_options
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@click.option("--destination", help="Deliveries to this destination.")
@click.option("--types", help="Events of these types, separated by commas; * matches anything.")
@since_option("Events received")
@until_option("Events received")
@click.option("--state", type=_STATE, help="Only deliveries in this state, usually dead.")
@click.option(
    "--include-missing",
    "includeMissing",
    is_flag=True,
    help="With --destination: also events that it would get today and never got, as a new one.",
)
@click.option("--dry-run", is_flag=True, help="Only count what would be replayed.")
@yes_option
@as_json_option
def replay_deliveries(
    access: ApiAccess,
    delivery_ids: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Deliver again: the deliveries with these IDs, or all that match the options.

    Give IDs or at least one option. What the options match is counted first, and the command asks before it replays;
    without a terminal it needs --yes. Without --state, dead and skipped deliveries are replayed, and events that were
    foreign when they came and are not foreign now. A replayed event keeps its id.

    With --include-missing a destination that was added later gets earlier events too: those that its `types` and
    numbers select, as far back as --since says or events are kept.
    """
    selection = _selection(options)
    if bool(delivery_ids) == bool(selection):
        raise click.UsageError("Give either IDs or at least one option that selects deliveries.")
    client = Client(access)
    if REPLAY.run(client, delivery_ids, selection, dry_run=dry_run, yes=yes, as_json=as_json):
        _print_stopped_destinations(client)


def _print_stopped_destinations(client: Client) -> None:
    """Print to standard error which destinations keep deliveries waiting until they are resumed."""
    with suppress(CommandFailed):  # the replay is done; a token may lack the scope read
        for destination in client.page("/destinations")["items"]:
            name, state, waiting = destination["name"], destination["state"], destination["waiting"]
            if state in STOPPED and waiting:
                waits = f"{count_of(waiting, 'delivery waits', 'deliveries wait')} until it is resumed"
                click.echo(f"{name} is {state}: {waits}; run `flask wats destinations resume {name}`", err=True)


def _selection(options: dict[str, Any]) -> dict[str, Any]:
    if options["includeMissing"] and options["destination"] is None:
        raise click.UsageError("--include-missing needs --destination.")
    selection = {name: value for name, value in options.items() if value not in (None, False)}
    if "types" in selection:
        selection["types"] = [type_.strip() for type_ in selection["types"].split(",")]
    return selection


def _row(delivery: Mapping[str, Any]) -> Mapping[str, Any]:
    attempts = delivery["attempts"]
    return {**delivery, "attempts": len(attempts), "lastError": _error_of(attempts[-1]) if attempts else None}


def _error_of(attempt: dict[str, Any]) -> str | None:
    status = attempt["status"]
    if attempt["error"] or status is None:
        return str(attempt["error"])
    return None if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else f"HTTP {status}"


def _path(delivery_id: str) -> str:
    return f"/deliveries/{quote(delivery_id, safe='')}"
