"""`receipts`: what Meta sent, from a running service."""

import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.options import as_json_option, client_options, page_options
from app.cli.progress import Step, follow
from app.cli.tables import print_json, print_page, print_record
from app.config import ApiAccess
from app.domain.receipt import ReceiptState

COLUMNS = ("id", "receivedAt", "state", "size", "events", "duplicates", "signedWith")
STEP = 100

_STATE = click.Choice([state.value for state in ReceiptState])


@click.group("receipts")
def receipts_group() -> None:
    """What Meta sent, byte for byte."""


@receipts_group.command("list")
@client_options
@click.option("--state", type=_STATE, help="Only those in this state.")
@page_options
@as_json_option
def list_receipts(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List receipts, newest first."""
    page = Client(access).page("/receipts", **query)
    if as_json:
        print_json(page)
    else:
        print_page(page, COLUMNS, nothing="no receipts")


@receipts_group.command("show")
@client_options
@click.argument("receipt_id")
@click.option("--body", is_flag=True, help="Write the exact bytes that Meta sent, and nothing else.")
@as_json_option
def show_receipt(access: ApiAccess, receipt_id: str, body: bool, as_json: bool) -> None:
    """Show one receipt; of an unreadable one also why."""
    client = Client(access)
    if body:
        sys.stdout.buffer.write(client.content(f"{_path(receipt_id)}/body"))
        return
    _show(client.get(_path(receipt_id)), as_json=as_json)


@receipts_group.command("reprocess")
@client_options
@click.argument("receipt_id", required=False)
@click.option("--state", type=_STATE, help="Every receipt in this state instead of one; most often: unreadable.")
@as_json_option
def reprocess_receipts(access: ApiAccess, receipt_id: str | None, state: str | None, as_json: bool) -> None:
    """Put a receipt, or all in a state, back in line to be split again. No event comes out of it twice."""
    client = Client(access)
    if (receipt_id is None) == (state is None):
        raise click.UsageError("Name either a receipt or --state.")
    if receipt_id is not None:
        _show(client.post(f"{_path(receipt_id)}/reprocess"), as_json=as_json)
        return
    reprocessed = follow("reprocessing", _reprocess_all(client, str(state)))
    if as_json:
        print_json({"reprocessed": reprocessed})
    else:
        click.echo(f"put {reprocessed} {'receipt' if reprocessed == 1 else 'receipts'} back in line")


def _reprocess_all(client: Client, state: str) -> Iterator[Step]:
    """Page by page, from the newest to the oldest: one that fails again is not met twice."""
    cursor, left = None, int(client.outside("/status")["receipts"].get(state, 0))
    while True:
        page = client.page("/receipts", state=state, limit=STEP, cursor=cursor)
        for receipt in page["items"]:
            client.post(f"{_path(receipt['id'])}/reprocess")
        seen = len(page["items"])
        left = max(0, left - seen)
        yield Step(done=seen, seen=seen, left=left)
        cursor = page["nextCursor"]
        if cursor is None:
            return


def _path(receipt_id: str) -> str:
    return f"/receipts/{quote(receipt_id, safe='')}"


def _show(receipt: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(receipt)
    else:
        print_record(receipt)
