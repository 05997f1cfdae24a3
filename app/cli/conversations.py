"""`conversations`: customers and numbers of a running service that have written to each other, and their windows."""

from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.listing import print_list
from app.cli.messages import COLUMNS as MESSAGE_COLUMNS
from app.cli.messages import message_row
from app.cli.options import as_json_option, client_options, page_options
from app.cli.tables import print_object
from app.config import ApiAccess

COLUMNS = ("phoneNumberId", "waId", "userId", "lastInboundAt", "lastOutboundAt")

_NUMBER = click.option("--number", "phoneNumberId", help="One of the profile's numbers, by its id.")


@click.group("conversations")
def conversations_group() -> None:
    """List conversations with customers, their messages, and their customer service windows."""


@conversations_group.command("list")
@client_options
@page_options
@as_json_option
def list_conversations(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List conversations, the one with the latest message first."""
    print_list(access, "/conversations", query, COLUMNS, nothing="no conversations", as_json=as_json)


@conversations_group.command("messages")
@client_options
@click.argument("contact")
@_NUMBER
@page_options
@as_json_option
def list_messages(access: ApiAccess, contact: str, as_json: bool, **query: Any) -> None:
    """List the messages to and from a customer, a phone number or a user id, newest first."""
    path = f"{_path(contact)}/messages"
    print_list(access, path, query, MESSAGE_COLUMNS, nothing="no messages", as_json=as_json, row=message_row)


@conversations_group.command("window")
@client_options
@click.argument("contact")
@_NUMBER
@as_json_option
def show_window(access: ApiAccess, contact: str, as_json: bool, **query: Any) -> None:
    """Show until when a customer may be sent any message, by the profile's first number unless told otherwise."""
    print_object(Client(access).get(f"{_path(contact)}/window", **query), as_json=as_json)


def _path(contact: str) -> str:
    return f"/conversations/{quote(contact, safe='')}"
