"""`destinations`: list the destinations of a running service, pause, resume and test them."""

from typing import Any
from urllib.parse import quote

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options
from app.cli.progress import count_of
from app.cli.tables import escape_for_terminal, print_json, print_object
from app.config import ApiAccess

COLUMNS = ("name", "state", "waiting", "dead", "lastSuccessAt", "lastError", "url")


@click.group("destinations")
def destinations_group() -> None:
    """List, pause, resume and test destinations."""


@destinations_group.command("list")
@client_options
@as_json_option
def list_destinations(access: ApiAccess, as_json: bool) -> None:
    """List the destinations, each with its state and its numbers of waiting and dead deliveries."""
    print_list(access, "/destinations", {}, COLUMNS, nothing="no destinations", as_json=as_json)


@destinations_group.command("pause")
@client_options
@click.argument("name")
@as_json_option
def pause_destination(access: ApiAccess, name: str, as_json: bool) -> None:
    """Stop pushing to a destination until it is resumed. Its deliveries wait."""
    _print_state(Client(access).post(f"{_path(name)}/pause"), as_json=as_json)


@destinations_group.command("resume")
@client_options
@click.argument("name")
@as_json_option
def resume_destination(access: ApiAccess, name: str, as_json: bool) -> None:
    """Push again to a destination that is paused, failing or disabled by a 410. Waiting retries are due at once."""
    _print_state(Client(access).post(f"{_path(name)}/resume"), as_json=as_json)


@destinations_group.command("test")
@client_options
@click.argument("name")
@as_json_option
def send_test_event(access: ApiAccess, name: str, as_json: bool) -> None:
    """Send one signed test event now and print the response; exit code 1 unless it is a 2xx."""
    answer = Client(access).post(f"{_path(name)}/test")
    print_object(answer, as_json=as_json)
    if not answer["ok"]:
        reason = answer["error"] or f"HTTP {answer['status']}"
        raise CommandFailed(f"{name} did not accept the test event: {reason}")


def _path(name: str) -> str:
    return f"/destinations/{quote(name, safe='')}"


def _print_state(destination: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(destination)
        return
    waiting = count_of(destination["waiting"], "delivery", "deliveries")
    line = f"done: {destination['name']} is {destination['state']}; {waiting} waiting, {destination['dead']} dead"
    click.echo(escape_for_terminal(line))
