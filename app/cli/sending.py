"""`sending`: list the scopes in which a running service sends nothing, and resume them."""

from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options
from app.cli.tables import escape_for_terminal, print_json
from app.config import ApiAccess

COLUMNS = ("scope", "class", "code", "since", "until", "reason")


@click.group("sending")
def sending_group() -> None:
    """List what keeps messages from being sent, and resume it."""


@sending_group.command("list")
@client_options
@as_json_option
def list_pauses(access: ApiAccess, as_json: bool) -> None:
    """List the scopes in which nothing is sent, each with Meta's code, the cure, and when one message is tried."""
    print_list(access, "/sending/pauses", {}, COLUMNS, nothing="nothing is paused", as_json=as_json)


@sending_group.command("resume")
@client_options
@click.argument("scope")
@as_json_option
def resume_scope(access: ApiAccess, scope: str, as_json: bool) -> None:
    """Send again in a scope, such as app or number:ID, once its cause is mended.

    Where Meta accepts messages and fails them later, they go on step by step: 1, 10, 100, then all, a minute each.
    """
    pause = Client(access).post(f"/sending/pauses/{quote(scope, safe='')}/resume")
    if as_json:
        print_json(pause)
    else:
        click.echo(escape_for_terminal(f"done: messages are sent again in the scope {pause['scope']}"))
