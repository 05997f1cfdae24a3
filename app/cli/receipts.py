"""`receipts`: what Meta sent, from a running service."""

import json
import sys
from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.options import client_options
from app.cli.tables import print_table
from app.config import ApiAccess
from app.domain.receipt import ReceiptState

COLUMNS = ("id", "receivedAt", "state", "size", "events", "duplicates", "signedWith")


@click.group("receipts")
def receipts_group() -> None:
    """What Meta sent, byte for byte."""


@receipts_group.command("list")
@client_options
@click.option("--state", type=click.Choice([state.value for state in ReceiptState]), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many.")
@click.option("--cursor", help="Continue after the last page: its nextCursor.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def list_receipts(access: ApiAccess, state: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """List receipts, newest first."""
    page = Client(access).get("/receipts", state=state, limit=limit, cursor=cursor)
    if as_json:
        click.echo(json.dumps(page, indent=2))
        return
    print_table(page["items"], COLUMNS, nothing="no receipts")
    if page["nextCursor"]:
        click.echo(f"more: --cursor {page['nextCursor']}", err=True)


@receipts_group.command("show")
@client_options
@click.argument("receipt_id")
@click.option("--body", is_flag=True, help="Write the exact bytes that Meta sent, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def show_receipt(access: ApiAccess, receipt_id: str, body: bool, as_json: bool) -> None:
    """Show one receipt."""
    path = f"/receipts/{quote(receipt_id, safe='')}"
    if body:
        sys.stdout.buffer.write(Client(access).content(f"{path}/body"))
        return
    _show(Client(access).get(path), as_json=as_json)


@receipts_group.command("reprocess")
@client_options
@click.argument("receipt_id")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def reprocess_receipt(access: ApiAccess, receipt_id: str, as_json: bool) -> None:
    """Put a receipt back in line, to be split again."""
    _show(Client(access).post(f"/receipts/{quote(receipt_id, safe='')}/reprocess"), as_json=as_json)


def _show(receipt: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(receipt, indent=2))
        return
    for name, value in receipt.items():
        click.echo(f"{name:<11} {value}")
