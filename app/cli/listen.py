"""`listen`: follow the events of a running service in a terminal, and post each to a URL of one's own."""

import json
from functools import partial
from typing import Any
from urllib.parse import quote

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.follow import LATEST, follow, repeated
from app.cli.forward import Forward, read_url
from app.cli.new_secrets import new_destination_secret
from app.cli.options import as_json_option, client_options
from app.cli.stopping import Interrupted, Stopping
from app.cli.tables import print_cells
from app.config import ApiAccess, listen_secret
from app.config.start_options import LISTEN_SECRET

FORMATS = ("events", "meta")
COLUMNS = ("receivedAt", "type", "contact", "id", "posted")


@click.command("listen")
@client_options
@click.option(
    "--forward-to", "target", callback=read_url, metavar="URL", help="Post each event to this URL of yours."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="What is posted: our event, or Meta's envelope around it.",
)
@click.option("--types", help="Only events of these types, separated by commas; * matches anything.")
@as_json_option
def listen_command(access: ApiAccess, target: str | None, format_: str, types: str | None, as_json: bool) -> None:
    """Print new events, and post each to a URL of yours as a destination would get it, until Ctrl-C or SIGTERM.

    The config stays as it is. Each event is posted once, whatever is answered, and signed with $WATS_LISTEN_SECRET,
    or with a secret that is made and printed. A foreign event is printed and not posted. If the service restarts,
    the command waits for it and misses nothing.
    """
    client, stopping = Client(access), Stopping()
    forward = None if target is None else Forward(target, format_, _secret())
    try:
        with stopping.interruptible():
            cursor = client.page("/events", cursor=LATEST, limit=1)["nextCursor"]
        click.echo(f"listening to {access.service_url}; Ctrl-C ends it", err=True)
        for event in follow(client, stopping, cursor, {"types": types}):
            with stopping.interruptible():
                posted = None if forward is None or event["foreign"] else _post(client, forward, event["id"])
            _print(event, posted, as_json=as_json)
    except Interrupted:
        return


def _secret() -> str:
    if given := listen_secret():
        return given
    made = new_destination_secret()
    click.echo(f"signed with {LISTEN_SECRET.variable}={made}", err=True)
    return made


def _post(client: Client, forward: Forward, event_id: str) -> str:
    try:
        path = f"/events/{quote(event_id, safe='')}/body"
        body = repeated(partial(client.content, path, format=forward.format))
    except CommandFailed as error:
        return error.message
    return forward.post(event_id, body)


def _print(event: dict[str, Any], posted: str | None, *, as_json: bool) -> None:
    contact = event["contact"]
    if as_json:
        click.echo(json.dumps({**event, "posted": posted}))
    else:
        row = {**event, "contact": contact.get("waId") or contact.get("userId"), "posted": posted or ""}
        print_cells(row, COLUMNS if posted else COLUMNS[:-1])
