"""`deliveries`: events on their way to a destination, what is stuck and why, and replay, on a running service."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import click

from app.cli.client import Client
from app.cli.options import as_json_option, client_options, page_options
from app.cli.progress import Step, follow
from app.cli.tables import print_json, print_page, print_record, print_table
from app.config import ApiAccess
from app.domain.delivery import DeliveryState

COLUMNS = ("id", "state", "destination", "eventId", "tries", "lastError", "nextAttemptAt")
ATTEMPT_COLUMNS = ("at", "status", "error", "durationMs")

_STATE = click.Choice([state.value for state in DeliveryState])


@click.group("deliveries")
def deliveries_group() -> None:
    """Events on their way to destinations."""


@deliveries_group.command("list")
@client_options
@click.option("--state", type=_STATE, help="Only those in this state.")
@click.option("--destination", help="Only those to this destination.")
@click.option("--event", help="Only those of the event with this id.")
@page_options
@as_json_option
def list_deliveries(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List deliveries, newest first, each with its last error."""
    page = Client(access).page("/deliveries", **query)
    if as_json:
        print_json(page)
    else:
        print_page({**page, "items": [_row(each) for each in page["items"]]}, COLUMNS, nothing="no deliveries")


@deliveries_group.command("show")
@client_options
@click.argument("delivery_id")
@as_json_option
def show_delivery(access: ApiAccess, delivery_id: str, as_json: bool) -> None:
    """Show one delivery with its attempts."""
    delivery = Client(access).get(_path(delivery_id))
    if as_json:
        print_json(delivery)
        return
    print_record({name: value for name, value in delivery.items() if name != "attempts"})
    print_table(delivery["attempts"], ATTEMPT_COLUMNS, nothing="not tried yet")


@deliveries_group.command("replay")
@client_options
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@click.option("--destination", help="What goes to this destination.")
@click.option("--types", help="Events of these types, with commas between; * stands for anything.")
@click.option("--since", help="Events received at this time or later, such as 2026-01-02T03:04:05Z.")
@click.option("--until", help="Events received before this time.")
@click.option("--state", type=_STATE, help="Only deliveries in this state; most often: dead.")
@as_json_option
def replay_deliveries(access: ApiAccess, delivery_ids: tuple[str, ...], as_json: bool, **chosen: str | None) -> None:
    """Deliver again: these deliveries, or every one that the options choose. It does not ask whether you mean it.

    Without --state: what is dead or skipped, and events that were foreign when they came and no longer are. At least
    an ID or an option is needed. The event's id stays the same.
    """
    selection = _selection(chosen)
    if bool(delivery_ids) == bool(selection):
        raise click.UsageError("Name either IDs or at least one of the options that choose.")
    client = Client(access)
    steps = _replay_each(client, delivery_ids) if delivery_ids else _replay_chosen(client, selection)
    replayed = follow("replaying", steps)
    if as_json:
        print_json({"replayed": replayed})
    else:
        click.echo(f"replayed {replayed} {'delivery' if replayed == 1 else 'deliveries'}")


def _selection(chosen: dict[str, str | None]) -> dict[str, Any]:
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    if "types" in given:
        given["types"] = [each.strip() for each in given["types"].split(",")]
    return given


def _replay_each(client: Client, delivery_ids: tuple[str, ...]) -> Iterator[Step]:
    for left, delivery_id in zip(reversed(range(len(delivery_ids))), delivery_ids, strict=True):
        client.post(f"{_path(delivery_id)}/replay")
        yield Step(done=1, seen=1, left=left)


def _replay_chosen(client: Client, selection: dict[str, Any]) -> Iterator[Step]:
    cursor = None
    while True:
        answer = client.post("/deliveries/replay", {**selection, "cursor": cursor} if cursor else selection)
        yield Step(answer["replayed"], answer["seen"], answer["left"])
        cursor = answer["nextCursor"]
        if cursor is None:
            return


def _row(delivery: dict[str, Any]) -> dict[str, Any]:
    attempts = delivery["attempts"]
    return {**delivery, "tries": len(attempts), "lastError": _what_went_wrong(attempts[-1]) if attempts else None}


def _what_went_wrong(attempt: dict[str, Any]) -> str | None:
    status = attempt["status"]
    if attempt["error"] or status is None:
        return str(attempt["error"])
    return None if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else f"HTTP {status}"


def _path(delivery_id: str) -> str:
    return f"/deliveries/{quote(delivery_id, safe='')}"
