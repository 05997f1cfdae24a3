"""`receipts`: list, show and reprocess the receipts of a running service."""

import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.dismissing import dismiss_command
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options, page_options
from app.cli.progress import Step, count_of, report_progress
from app.cli.tables import print_json, print_object
from app.config import ApiAccess
from app.domain.receipt import ReceiptState

COLUMNS = ("id", "receivedAt", "state", "size", "events", "duplicates", "signedWith")
STEP_RECEIPTS = 100

_STATE = click.Choice([state.value for state in ReceiptState])


@click.group("receipts")
def receipts_group() -> None:
    """List, show, reprocess and dismiss receipts. A receipt is one webhook from Meta, byte for byte."""


receipts_group.add_command(dismiss_command)


@receipts_group.command("list")
@client_options
@click.option("--state", type=_STATE, help="Only receipts in this state.")
@page_options
@as_json_option
def list_receipts(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List receipts, newest first."""
    print_list(access, "/receipts", query, COLUMNS, nothing="no receipts", as_json=as_json)


@receipts_group.command("show")
@client_options
@click.argument("receipt_id")
@click.option("--body", is_flag=True, help="Print only the exact bytes that Meta sent.")
@as_json_option
def show_receipt(access: ApiAccess, receipt_id: str, body: bool, as_json: bool) -> None:
    """Show one receipt; the field error says why it is unreadable."""
    client = Client(access)
    if body:
        sys.stdout.buffer.write(client.content(f"{_path(receipt_id)}/body"))
        return
    print_object(client.get(_path(receipt_id)), as_json=as_json)


@receipts_group.command("reprocess")
@client_options
@click.argument("receipt_id", required=False)
@click.option("--state", type=_STATE, help="Reprocess every receipt in this state, usually unreadable.")
@as_json_option
def reprocess_receipts(access: ApiAccess, receipt_id: str | None, state: str | None, as_json: bool) -> None:
    """Split a receipt into events again, or all receipts in a state. Known events are not created twice."""
    client = Client(access)
    if (receipt_id is None) == (state is None):
        raise click.UsageError("Give either a receipt's id or --state.")
    if receipt_id is not None:
        print_object(client.post(f"{_path(receipt_id)}/reprocess"), as_json=as_json)
        return
    erased: list[str] = []
    reprocessed = report_progress("reprocessing", _reprocess_all(client, str(state), erased))
    if as_json:
        print_json({"reprocessed": reprocessed, "erased": len(erased)})
        return
    left = f"; {count_of(len(erased), 'receipt')} left, whose bytes are erased" if erased else ""
    click.echo(f"done: {count_of(reprocessed, 'receipt')} queued to be split again{left}")


def _reprocess_all(client: Client, state: str, erased: list[str]) -> Iterator[Step]:
    """Yield a step for each page, from the newest receipt to the oldest: one that fails again is not repeated.

    Add the ids of receipts whose bytes are erased to `erased`.
    """
    cursor, left = None, int(client.get_outside_api("/status")["receipts"].get(state, 0))
    while True:
        page = client.page("/receipts", state=state, limit=STEP_RECEIPTS, cursor=cursor)
        ids = [receipt["id"] for receipt in page["items"] if not receipt.get("erased")]
        erased += [receipt["id"] for receipt in page["items"] if receipt.get("erased")]
        for receipt_id in ids:
            client.post(f"{_path(receipt_id)}/reprocess")
        count = len(page["items"])
        left, cursor = max(0, left - count), page["nextCursor"]
        yield Step(done=len(ids), checked=count, left=left, more=cursor is not None)
        if cursor is None:
            return


def _path(receipt_id: str) -> str:
    return f"/receipts/{quote(receipt_id, safe='')}"
