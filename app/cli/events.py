"""`events`: list, show and follow the events of a running service."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.follow import LATEST, follow
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options, page_options
from app.cli.stopping import Interrupted, Stopping
from app.cli.tables import print_cells, print_object
from app.cli.times import since_option, until_option
from app.config import ApiAccess

COLUMNS = ("id", "sequence", "receivedAt", "type", "contact", "foreign")
TAIL_COLUMNS = ("receivedAt", "type", "contact", "id")

_TYPES = click.option("--types", help="Only events of these types, separated by commas; * matches anything.")
_CONTACT = click.option("--contact", help="Only events of this customer: a phone number or a user id.")
_NUMBER = click.option("--number", "phoneNumberId", help="Only events of this number of the business, by its id.")


@click.group("events")
def events_group() -> None:
    """List, show and follow events."""


@events_group.command("list")
@client_options
@_TYPES
@_CONTACT
@_NUMBER
@click.option("--receipt", help="Only events of the receipt with this id.")
@since_option("Only events received")
@until_option("Only events received")
@click.option("--oldest", is_flag=True, help="The oldest events first; a cursor of this order continues only in it.")
@page_options
@as_json_option
def list_events(access: ApiAccess, as_json: bool, oldest: bool, **query: Any) -> None:
    """List events, newest first unless told otherwise."""
    query["order"] = "asc" if oldest else "desc"
    print_list(access, "/events", query, COLUMNS, nothing="no events", as_json=as_json, row=_row)


@events_group.command("show")
@client_options
@click.argument("event_id")
@as_json_option
def show_event(access: ApiAccess, event_id: str, as_json: bool) -> None:
    """Show one event, including Meta's item as it came (raw)."""
    print_object(Client(access).get(f"/events/{quote(event_id, safe='')}"), as_json=as_json)


@events_group.command("tail")
@client_options
@_TYPES
@_CONTACT
@_NUMBER
@click.option("--cursor", help="Start after this cursor instead of now.")
@as_json_option
def tail_events(access: ApiAccess, cursor: str | None, as_json: bool, **chosen: str | None) -> None:
    """Print new events, one per line, until Ctrl-C or SIGTERM. If the service restarts, wait for it."""
    try:
        for event in follow(Client(access), Stopping(), cursor or LATEST, chosen):
            if as_json:
                click.echo(json.dumps(event))
            else:
                print_cells(_row(event), TAIL_COLUMNS)
    except Interrupted:
        return


def _row(event: Mapping[str, Any]) -> Mapping[str, Any]:
    contact = event["contact"]
    return {**event, "contact": contact.get("waId") or contact.get("userId")}
