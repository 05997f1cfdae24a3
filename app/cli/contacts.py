"""`contacts`: customers, at a running service."""

import sys
from collections import Counter
from collections.abc import Iterator

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.options import as_json_option, client_options
from app.cli.progress import Step, follow
from app.cli.tables import print_json
from app.config import ApiAccess

COUNTED = ("events", "deliveries", "receipts", "pending", "unreadable")


@click.group("contacts")
def contacts_group() -> None:
    """Customers."""


@contacts_group.command("erase")
@client_options
@click.argument("contact")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@as_json_option
def erase_contact(access: ApiAccess, contact: str, yes: bool, as_json: bool) -> None:
    """Erase a customer: its events, their deliveries, and the bytes of receipts that name it.

    CONTACT is a phone number or a user id. What cannot be undone is asked for once more, or take --yes.
    """
    _confirm(contact, yes=yes)
    erased: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    follow("erasing", _steps(Client(access), contact, erased))
    if as_json:
        print_json(erased)
    else:
        told = "erased {events} events, {deliveries} deliveries and the bytes of {receipts} receipts"
        click.echo(told.format(**erased))
    if left := erased["pending"] + erased["unreadable"]:
        raise CommandFailed(
            f"{left} receipts that name it are not split yet and were left, because they may tell of others too:"
            f" {erased['pending']} wait, {erased['unreadable']} are unreadable. Erase again once they are split"
        )


def _confirm(contact: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: give --yes.")
    click.confirm(f"Erase everything of {contact}? It cannot be undone", abort=True, err=True)


def _steps(client: Client, contact: str, erased: Counter[str]) -> Iterator[Step]:
    """Each request is one step; what it erased is added up."""
    cursor, left = None, 0
    while True:
        answer = client.post("/contacts/erase", {"contact": contact, "cursor": cursor})
        done = {name: int(answer[name]) for name in COUNTED}
        erased.update(done)
        seen, left = max(0, left - answer["left"]), answer["left"]
        yield Step(done=done["events"] + done["receipts"], seen=seen, left=left)
        cursor = answer["nextCursor"]
        if cursor is None:
            return
