"""`destinations`: where events are pushed, and the hands to hold and let go, on a running service."""

from typing import Any
from urllib.parse import quote

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.options import as_json_option, client_options
from app.cli.tables import print_json, print_record, print_table
from app.config import ApiAccess

COLUMNS = ("name", "state", "waiting", "dead", "lastSuccessAt", "lastError", "url")


@click.group("destinations")
def destinations_group() -> None:
    """Where events are pushed."""


@destinations_group.command("list")
@client_options
@as_json_option
def list_destinations(access: ApiAccess, as_json: bool) -> None:
    """List the destinations with their state, what waits and what is dead."""
    page = Client(access).page("/destinations")
    if as_json:
        print_json(page)
    else:
        print_table(page["items"], COLUMNS, nothing="no destinations")


@destinations_group.command("pause")
@client_options
@click.argument("name")
@as_json_option
def pause_destination(access: ApiAccess, name: str, as_json: bool) -> None:
    """Push nothing to a destination until it is resumed; its deliveries wait."""
    _show(Client(access).post(f"{_path(name)}/pause"), as_json=as_json)


@destinations_group.command("resume")
@client_options
@click.argument("name")
@as_json_option
def resume_destination(access: ApiAccess, name: str, as_json: bool) -> None:
    """Push again, whether it was paused, disabled by a 410 or open; what waits for a retry is due at once."""
    _show(Client(access).post(f"{_path(name)}/resume"), as_json=as_json)


@destinations_group.command("test")
@client_options
@click.argument("name")
@as_json_option
def try_destination(access: ApiAccess, name: str, as_json: bool) -> None:
    """Send one signed test event now and tell what came back; exit code 1 if it was no 2xx."""
    answer = Client(access).post(f"{_path(name)}/test")
    if as_json:
        print_json(answer)
    else:
        print_record(answer)
    if not answer["ok"]:
        why = answer["error"] or f"HTTP {answer['status']}"
        raise CommandFailed(f"{name} did not take the test event: {why}")


def _path(name: str) -> str:
    return f"/destinations/{quote(name, safe='')}"


def _show(destination: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(destination)
    else:
        print_record(destination)
