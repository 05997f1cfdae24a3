"""One message as the commands ask for it and print it."""

from typing import Any
from urllib.parse import quote

import click

from app.cli.tables import print_json, print_record, print_table

HISTORY_COLUMNS = ("status", "at")


def print_message(message: dict[str, Any], *, as_json: bool) -> None:
    """Print one message with the statuses that it had."""
    if as_json:
        print_json(message)
        return
    held = {f"heldBy.{name}": value for name, value in message.get("heldBy", {}).items()}
    kept = {name: value for name, value in message.items() if name not in ("history", "warnings", "heldBy")}
    print_record({**kept, **held})
    print_table(message["history"], HISTORY_COLUMNS)
    for warning in message.get("warnings", []):
        click.echo(f"warning: {warning}", err=True)


def path_of(message_id: str) -> str:
    """Return the path of a message in the API. Meta's ids have slashes."""
    return f"/messages/{quote(message_id, safe='')}"
