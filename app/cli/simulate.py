"""`simulate`: speak as a customer's phone to a running dry-run service, by webhooks as Meta posts them."""

import json
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.options import dry_run_client_options
from app.cli.phone import Action, Phone, Posting, contact_of
from app.config import ApiAccess, Settings
from app.graph.fake.customers import FIELDS, MEDIA

DEFAULT_CUSTOMER = "+16505551234"
WAIT, AWAIT = "wait", "await"
MAIN_FIELD = {
    **dict.fromkeys(MEDIA, "caption"),
    **dict.fromkeys(("button", "list", "template_button"), "title"),
    "text": "text",
    "reaction": "emoji",
    "number": "number",
    "marketing": "value",
    "flow": "response",
    "contacts": "contacts",
}
"""The field that VALUE fills, by type; a location's is `latitude,longitude`."""

EXAMPLES = {
    "text": '"Is it open on Sunday?"',
    "button": "Yes",
    "list": "Large",
    "template_button": "Yes",
    "location": "52.52,13.405",
    "contacts": """'[{"name": {"formatted_name": "Lu"}}]'""",
    "flow": """'{"size": "s"}'""",
    "number": "+16505550100",
    "marketing": "stop",
}
"""A VALUE as a shell takes it, for each type that needs one."""

MAX_BATCH = 1000
"""Meta puts at most this many updates into a webhook."""


@click.command("simulate")
@dry_run_client_options
@click.argument("action", required=False, metavar="[TYPE]")
@click.argument("value", required=False)
@click.option("--from", "customer", default=DEFAULT_CUSTOMER, show_default=True, help="The customer's phone number.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="One more field; may be repeated.")
@click.option("--script", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Play a file's actions.")
@click.option(
    "--batch", type=click.IntRange(1, MAX_BATCH), default=1, show_default=True, help="Actions in each webhook."
)
@click.option("--duplicate", is_flag=True, help="Post each webhook twice, as Meta repeats them.")
@click.option("--disorder", is_flag=True, help="Post the webhooks between two pauses the last one first.")
def simulate_command(
    access: ApiAccess,
    settings: Settings,
    action: str | None,
    value: str | None,
    customer: str,
    fields: tuple[str, ...],
    script: Path | None,
    batch: int,
    duplicate: bool,
    disorder: bool,
) -> None:
    """Act as a customer of a dry-run service: write, answer, call.

    TYPE is text, button, list, template_button, image, video, audio, document, sticker, location, contacts, reaction,
    order, flow, call, hang_up, number, marketing or unsupported. VALUE is the text, title, caption, emoji or number;
    of a location "latitude,longitude"; of a flow, and of contacts, JSON. A script is a JSON list of actions:
    [{"type": "text", "text": "hi"}, {"await": 10}, {"type": "button", "title": "Yes", "id": "yes"}, {"wait": 1}].
    A button's or a row's id is the one that the last message to the customer gave it; the title may be the id, too.
    {"await": 10} waits until the next message to the customer comes, for 10 seconds at most; then it is a failure.
    """
    if (action is None) == (script is None):
        raise click.UsageError("Give a TYPE, or a file with --script.")
    actions = read_script(script) if script is not None else [action_from(action or "", value, fields)]
    phone = Phone(Client(access), settings, Posting(batch, duplicate, disorder))
    play([{"from": customer, **each} for each in actions], phone)


def play(actions: Sequence[Action], phone: Phone) -> None:
    """Do one action after the other; print the id of each message, and what comes in answer."""
    for contact in {contact_of(each) for each in actions if AWAIT in each}:
        phone.answers.watch(contact)
    for are_pauses, stretch in groupby(actions, _is_pause):
        if are_pauses:
            for each in stretch:
                _pause(each, phone)
        else:
            click.echo("\n".join(phone.act(stretch)))


def _is_pause(action: Action) -> bool:
    return WAIT in action or AWAIT in action


def _pause(action: Action, phone: Phone) -> None:
    if WAIT in action:
        time.sleep(float(action[WAIT]))
    else:
        heard = phone.answers.next(contact_of(action), float(action[AWAIT]))
        click.echo(f"← {heard['type']} {heard['wamid']}")


def read_script(path: Path) -> list[Action]:
    """Return the actions of a file. Raise `CommandFailed` if it holds none."""
    try:
        actions = json.loads(path.read_bytes())
    except ValueError as error:
        raise CommandFailed(f"{path} is not JSON: {error}") from error
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        raise CommandFailed(f"{path} must hold a JSON list of objects")
    return actions


def action_from(kind: str, value: str | None, fields: tuple[str, ...]) -> Action:
    """Return the action that the command line describes. Raise `CommandFailed` if it lacks its VALUE."""
    action: Action = {"type": kind}
    if value is not None:
        action |= _main_field(kind, value)
    for field in fields:
        name, found, text = field.partition("=")
        if not found:
            raise click.UsageError("A --field must have the form NAME=VALUE.")
        action[name] = _json_or_text(text)
    if kind in EXAMPLES and FIELDS[kind][0] - action.keys():
        example = f"flask wats simulate {kind} {EXAMPLES[kind]}"
        raise CommandFailed(f"{kind} needs a VALUE; type for example: {example}")
    return action


def _main_field(kind: str, value: str) -> Action:
    if kind == "location":
        return _place(value)
    if kind not in MAIN_FIELD:
        what = "takes no VALUE" if kind in FIELDS else f"is no TYPE; there are {', '.join(FIELDS)}"
        raise CommandFailed(f"{kind} {what}")
    return {MAIN_FIELD[kind]: _json_or_text(value) if kind in ("flow", "contacts") else value}


def _place(value: str) -> Action:
    latitude, _, longitude = value.partition(",")
    try:
        return {"latitude": float(latitude), "longitude": float(longitude)}
    except ValueError as error:
        raise CommandFailed('a location is "latitude,longitude", such as 52.5,13.4') from error


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
