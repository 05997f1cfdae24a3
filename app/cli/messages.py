"""`messages`: send, list, show, read and cancel messages of a running service, and decide about unknown ones."""

from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.options import as_json_option, client_options, page_options
from app.cli.tables import print_json, print_page, print_record, print_table
from app.config import ApiAccess
from app.domain.message import MessageStatus

COLUMNS = ("id", "direction", "status", "type", "contact", "phoneNumberId", "createdAt", "error")
HISTORY_COLUMNS = ("status", "at")


@click.group("messages")
def messages_group() -> None:
    """Send, list, show and cancel messages, mark customers' ones as read, and decide about unknown ones."""


@messages_group.command("send")
@client_options
@click.argument("to")
@click.argument("text")
@click.option("--key", help="Idempotency key: the same key and text make one message, however often it is sent.")
@click.option("--wait", type=click.IntRange(0, 30), default=0, help="Seconds to wait for Meta's answer.")
@as_json_option
def send_text(access: ApiAccess, to: str, text: str, key: str | None, wait: int, as_json: bool) -> None:
    """Send TEXT to the phone number TO."""
    headers = {**({"Idempotency-Key": key} if key else {}), **({"Prefer": f"wait={wait}"} if wait else {})}
    _print(Client(access).post("/messages/text", {"to": to, "text": text}, headers=headers), as_json=as_json)


@messages_group.command("list")
@client_options
@click.option("--direction", type=click.Choice(["outbound", "inbound"]), help="Only messages to, or of, customers.")
@click.option(
    "--status",
    type=click.Choice([*(status.value for status in MessageStatus), "received"]),
    help="Only messages with this status.",
)
@click.option("--contact", help="Only messages to and of this customer: a phone number or a user id.")
@page_options
@as_json_option
def list_messages(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List messages to customers and of customers, newest first."""
    client = Client(access)
    page = client.page("/messages", **query) if as_json else client.page_with_hint("/messages", **query)
    if as_json:
        print_json(page)
    else:
        print_page({**page, "items": list(map(_row, page["items"]))}, COLUMNS, nothing="no messages")


@messages_group.command("show")
@client_options
@click.argument("message_id")
@as_json_option
def show_message(access: ApiAccess, message_id: str, as_json: bool) -> None:
    """Show one message, by its id or by Meta's (wamid), with the statuses that it had."""
    _print(Client(access).get(_path(message_id)), as_json=as_json)


@messages_group.command("read")
@client_options
@click.argument("message_id")
@click.option("--typing", is_flag=True, help="Also show the customer that an answer is being written.")
@as_json_option
def read_message(access: ApiAccess, message_id: str, typing: bool, as_json: bool) -> None:
    """Mark a customer's message as read, by Meta's id (wamid) or its event's."""
    answer = Client(access).post(f"{_path(message_id)}/read", {"typing": typing})
    if as_json:
        print_json(answer)
    else:
        click.echo("done: the message is marked as read")


@messages_group.command("cancel")
@client_options
@click.argument("message_id")
@as_json_option
def cancel_message(access: ApiAccess, message_id: str, as_json: bool) -> None:
    """Cancel a message that is still queued."""
    _print(Client(access).post(f"{_path(message_id)}/cancel"), as_json=as_json)


@messages_group.command("resolve")
@client_options
@click.argument("message_id")
@click.option(
    "--as", "decision", type=click.Choice(["failed", "resend"]), required=True, help="What the message is to be."
)
@click.option("--force", is_flag=True, help="Send again although its status may still come.")
@as_json_option
def resolve_message(access: ApiAccess, message_id: str, decision: str, force: bool, as_json: bool) -> None:
    """Decide about a message whose fate is unknown: it failed, or it is sent again. It may have arrived."""
    body = {"as": decision, "force": force}
    _print(Client(access).post(f"{_path(message_id)}/resolve", body), as_json=as_json)


def _print(message: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(message)
        return
    print_record({name: value for name, value in message.items() if name not in ("history", "warnings")})
    print_table(message["history"], HISTORY_COLUMNS)
    for warning in message.get("warnings", []):
        click.echo(f"warning: {warning}", err=True)


def _row(message: dict[str, Any]) -> dict[str, Any]:
    error = message.get("error") or {}
    said = [str(error[name]) for name in ("code", "title", "message") if error.get(name)]
    writer = message.get("contact") or {}
    contact = message.get("to") or message.get("recipient") or writer.get("waId") or writer.get("userId")
    return {**message, "contact": contact, "error": " ".join(said) or None}


def _path(message_id: str) -> str:
    return f"/messages/{quote(message_id, safe='')}"
