"""`messages`: send, list, show, read and cancel messages of a running service, and decide about unknown ones."""

from collections.abc import Mapping
from typing import Any

import click

from app.cli.client import Client
from app.cli.listing import print_list
from app.cli.message import path_of, print_message
from app.cli.options import as_json_option, client_options, page_options
from app.cli.resolve import resolve_messages
from app.cli.tables import print_json
from app.config import ApiAccess
from app.domain.message import MessageStatus

COLUMNS = ("id", "direction", "status", "type", "contact", "phoneNumberId", "createdAt", "heldBy", "error")


@click.group("messages")
def messages_group() -> None:
    """Send, list, show and cancel messages, mark customers' ones as read, and decide about unknown ones."""


messages_group.add_command(resolve_messages)


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
    print_message(Client(access).post("/messages/text", {"to": to, "text": text}, headers=headers), as_json=as_json)


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
    print_list(access, "/messages", query, COLUMNS, nothing="no messages", as_json=as_json, row=message_row)


@messages_group.command("show")
@client_options
@click.argument("message_id")
@as_json_option
def show_message(access: ApiAccess, message_id: str, as_json: bool) -> None:
    """Show one message, by its id or by Meta's (wamid), with the statuses that it had."""
    print_message(Client(access).get(path_of(message_id)), as_json=as_json)


@messages_group.command("read")
@client_options
@click.argument("message_id")
@click.option("--typing", is_flag=True, help="Also show the customer that an answer is being written.")
@as_json_option
def read_message(access: ApiAccess, message_id: str, typing: bool, as_json: bool) -> None:
    """Mark a customer's message as read, by Meta's id (wamid) or its event's."""
    answer = Client(access).post(f"{path_of(message_id)}/read", {"typing": typing})
    if as_json:
        print_json(answer)
    else:
        click.echo("done: the message is marked as read")


@messages_group.command("reconcile")
@client_options
@click.argument("message_id")
@as_json_option
def reconcile_message(access: ApiAccess, message_id: str, as_json: bool) -> None:
    """Ask Meta what became of a message whose statuses have not come, and record it."""
    print_message(Client(access).post(f"{path_of(message_id)}/reconcile"), as_json=as_json)


@messages_group.command("cancel")
@client_options
@click.argument("message_id")
@as_json_option
def cancel_message(access: ApiAccess, message_id: str, as_json: bool) -> None:
    """Cancel a message that is still queued."""
    print_message(Client(access).post(f"{path_of(message_id)}/cancel"), as_json=as_json)


def message_row(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the cells of a message in a table."""
    error = message.get("error") or {}
    said = [str(error[name]) for name in ("code", "title", "message") if error.get(name)]
    writer = message.get("contact") or {}
    contact = message.get("to") or message.get("recipient") or writer.get("waId") or writer.get("userId")
    held = (message.get("heldBy") or {}).get("scope")
    return {**message, "contact": contact, "heldBy": held, "error": " ".join(said) or None}
