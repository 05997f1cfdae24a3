"""`contacts`: erase a customer through a running service; print how log lines name a customer."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.confirm import confirm, yes_option
from app.cli.options import as_json_option, client_options, settings_options
from app.cli.patience import READER_IN_THE_WAY, Patience
from app.cli.progress import Step, count_of, report_progress
from app.cli.tables import print_json
from app.config import ApiAccess, Settings
from app.log.contact_label import ContactLabel

COUNTS = ("events", "deliveries", "messages", "receipts", "pending", "unreadable")
SHOWN_EVENTS = 5


@click.group("contacts")
def contacts_group() -> None:
    """Erase a customer, or find one in the log."""


@contacts_group.command("erase")
@client_options
@click.argument("contact")
@yes_option
@as_json_option
def erase_contact(access: ApiAccess, contact: str, yes: bool, as_json: bool) -> None:
    """Erase a customer: its events, their deliveries, and the bodies of receipts that name it.

    CONTACT is a phone number or a user id; the customer's other names are found by it. Erasing cannot be undone: the
    command asks for confirmation, unless --yes is given. The exit code is 1 if data that names the customer was kept,
    or if erased bytes may still be in the database's file, because another process reads an older state of it.
    """
    confirm(f"Erase all data of {contact}? This cannot be undone", yes=yes)
    erased: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    remaining: list[str] = []
    in_the_way: list[str] = []
    report_progress("erasing", _steps(Client(access), contact, erased, remaining, in_the_way))
    if as_json:
        print_json({**erased, "remaining": remaining})
    else:
        events, messages = (count_of(erased[name], name.removesuffix("s")) for name in ("events", "messages"))
        deliveries = count_of(erased["deliveries"], "delivery", "deliveries")
        bodies = f"the bodies of {count_of(erased['receipts'], 'receipt')}"
        click.echo(f"done: erased {events}, {deliveries}, {messages} and {bodies}")
        if not any(erased.values()) and not remaining:
            click.echo("nothing was found under this name; is it spelled as in `flask wats events show`?", err=True)
    if kept := [*_kept_receipts(erased), *_kept_events(remaining), *in_the_way]:
        raise CommandFailed("; ".join(kept))


@contacts_group.command("label")
@settings_options
@click.argument("contact")
def label_contact(settings: Settings, contact: str) -> None:
    """Print the value of `contact` in log lines about a customer: a hash, unless log.contacts says otherwise.

    CONTACT is a phone number with its country code, or a user id if there is no number. The hash depends on the
    app secret: that of the dry-run, unless --live and --yes-live are given. No service is needed.
    """
    name = contact if contact[:2].isalpha() else re.sub(r"[\s().-]", "", contact)
    label = ContactLabel(settings.log_contacts, settings.webhook.app_secret.current)(name)
    if label is None:
        raise CommandFailed("log.contacts is none: the log does not name customers")
    click.echo(label)


def _kept_receipts(erased: Counter[str]) -> Iterator[str]:
    if kept := erased["pending"] + erased["unreadable"]:
        yield (
            f"kept {count_of(kept, 'receipt')} with this contact, because receipts that are not split may hold data"
            f" of other customers: {erased['pending']} pending, {erased['unreadable']} unreadable; erase again after"
            " the split"
        )


def _kept_events(remaining: Sequence[str]) -> Iterator[str]:
    if remaining:
        some = ", ".join(remaining[:SHOWN_EVENTS]) + (", …" if len(remaining) > SHOWN_EVENTS else "")
        yield (
            f"kept {count_of(len(remaining), 'event')} that name this contact but are about another customer or about"
            f" none; they will be deleted after retention.days: {some}; see `flask wats events show`"
        )


def _steps(
    client: Client, contact: str, erased: Counter[str], remaining: list[str], in_the_way: list[str]
) -> Iterator[Step]:
    """Yield a step for each request. Fill `erased` with the counts, `remaining` with the ids of kept events.

    If another process keeps the file from being cleaned, `in_the_way` gets the text about that.
    """
    cursor, left, patience = None, 0, Patience()
    while True:
        answer = client.post("/contacts/erase", {"contact": contact, "cursor": cursor})
        counts = {name: int(answer[name]) for name in COUNTS}
        erased.update(counts)
        remaining += answer["remaining"]
        checked, left = max(0, left - answer["left"]), answer["left"]
        cursor = answer["nextCursor"]
        yield Step(counts["events"] + counts["messages"] + counts["receipts"], checked, left, more=cursor is not None)
        if cursor is None:
            return
        if not any(counts.values()) and patience.ends_at(cursor):
            in_the_way.append(READER_IN_THE_WAY)
            return
