"""`consumers`: the named readers of a running service's events: how far each has read, and moving or deleting one."""

from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.confirm import confirm, yes_option
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options, page_options
from app.cli.tables import escape_for_terminal, print_object
from app.cli.times import since_option
from app.config import ApiAccess

COLUMNS = ("name", "lag", "oldestUnreadAt", "updatedAt")
LATEST = "latest"


@click.group("consumers")
def consumers_group() -> None:
    """List, show, move and delete the named readers of events."""


@consumers_group.command("list")
@client_options
@page_options
@as_json_option
def list_consumers(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List consumers by name, each with its lag: how many events it has not read, at most."""
    print_list(access, "/consumers", query, COLUMNS, nothing="no consumers", as_json=as_json)


@consumers_group.command("show")
@client_options
@click.argument("name")
@as_json_option
def show_consumer(access: ApiAccess, name: str, as_json: bool) -> None:
    """Show one consumer with its cursor."""
    print_object(Client(access).get(_path(name)), as_json=as_json)


@consumers_group.command("ack")
@client_options
@click.argument("name")
@click.argument("cursor", required=False)
@since_option("Read on from the first event received")
@as_json_option
def ack_consumer(access: ApiAccess, name: str, cursor: str | None, since: str | None, as_json: bool) -> None:
    """Move a consumer to CURSOR, the nextCursor of a page of events; or to a time, with --since.

    `latest` skips all events that are there. An older cursor, or an earlier time, makes it read events again. A
    consumer that does not exist is made.
    """
    if (cursor is None) == (since is None):
        raise click.UsageError("Give either a CURSOR or --since.")
    client = Client(access)
    if cursor == LATEST:
        cursor = client.page("/events", cursor=LATEST, limit=1)["nextCursor"]
    position = {"cursor": cursor} if since is None else {"since": since}
    print_object(client.post(f"{_path(name)}/ack", position), as_json=as_json)


@consumers_group.command("delete")
@client_options
@click.argument("name")
@yes_option
def delete_consumer(access: ApiAccess, name: str, yes: bool) -> None:
    """Delete a consumer. A reader that goes on under its name starts again at the oldest event."""
    client = Client(access)
    confirm(f"Delete the consumer {escape_for_terminal(name)}?", yes=yes)
    client.delete(_path(name))
    click.echo(f"done: {escape_for_terminal(name)} is deleted")


def _path(name: str) -> str:
    return f"/consumers/{quote(name, safe='')}"
