"""`simulate`: speak as a customer's phone to a running dry-run service, by webhooks as Meta posts them."""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import click

from app.cli import CommandFailed
from app.cli.answers import Answers
from app.cli.client import Client
from app.cli.options import dry_run_client_options
from app.config import ApiAccess, Settings
from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.customers import FIELDS, MEDIA, Moment, change_by
from app.graph.fake.ids import Ids
from app.graph.fake.people import user_id_of
from app.graph.fake.samples import SAMPLES
from app.graph.fake.statuses import Recipient
from app.graph.fake.switches import Switches
from app.graph.fake.webhooks import bytes_of, headers_of

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

ANSWERS = ("button", "list", "template_button", "flow", "reaction")

Action = dict[str, Any]


@click.command("simulate")
@dry_run_client_options
@click.argument("action", required=False, metavar="[TYPE]")
@click.argument("value", required=False)
@click.option("--from", "customer", default=DEFAULT_CUSTOMER, show_default=True, help="The customer's phone number.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="One more field; may be repeated.")
@click.option("--script", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Play a file's actions.")
def simulate_command(
    access: ApiAccess,
    settings: Settings,
    action: str | None,
    value: str | None,
    customer: str,
    fields: tuple[str, ...],
    script: Path | None,
) -> None:
    """Act as a customer of a dry-run service: write, answer, call.

    TYPE is text, button, list, template_button, image, video, audio, document, sticker, location, contacts, reaction,
    order, flow, call, hang_up, number, marketing or unsupported. VALUE is the text, title, caption, emoji or number;
    of a location "latitude,longitude"; of a flow, and of contacts, JSON. A script is a JSON list of actions:
    [{"type": "text", "text": "hi"}, {"await": 10}, {"type": "button", "title": "Yes", "id": "yes"}, {"wait": 1}].
    {"await": 10} waits until the next message to the customer comes, for 10 seconds at most; then it is a failure.
    """
    if (action is None) == (script is None):
        raise click.UsageError("Give a TYPE, or a file with --script.")
    actions = read_script(script) if script is not None else [action_from(action or "", value, fields)]
    play([{"from": customer, **each} for each in actions], Phone(Client(access), settings))


def play(actions: Sequence[Action], phone: "Phone") -> None:
    """Do one action after the other; print the id of each message, and what comes in answer."""
    for contact in {contact_of(each) for each in actions if AWAIT in each}:
        phone.answers.watch(contact)
    for each in actions:
        if WAIT in each:
            time.sleep(float(each[WAIT]))
        elif AWAIT in each:
            heard = phone.answers.next(contact_of(each), float(each[AWAIT]))
            click.echo(f"← {heard['type']} {heard['wamid']}")
        else:
            click.echo(phone.act(each))


def contact_of(action: Mapping[str, Any]) -> str:
    """Return the name by which the API knows the customer of an action."""
    return str(action.get("from") or action.get("user_id"))


class Phone:
    """Posts what customers do to a service, as Meta would."""

    def __init__(self, client: Client, settings: Settings) -> None:
        number, *_ = settings.whatsapp.phone_number_ids
        numbers = tuple(Number(each, settings.whatsapp.waba_id) for each in settings.whatsapp.phone_number_ids)
        self._client = client
        self.answers = Answers(client)
        self._default = number
        self._accounts = Accounts(numbers, app_secret=settings.webhook.app_secret.current)
        self._path = settings.webhook.path
        counter = count(1)
        self._ids = Ids(secrets.token_hex(16), lambda _: next(counter))

    def act(self, action: Action) -> str:
        """Post the webhook of an action; return the id of the message."""
        try:
            moment = self._moment(action)
            change = change_by(moment, _with_file(action))
        except (KeyError, TypeError, ValueError) as error:
            raise CommandFailed(str(error)) from error
        body = bytes_of([change])
        self._client.post_webhook(self._path, body, headers_of(body, self._accounts, Switches()))
        return moment.id

    def _moment(self, action: Mapping[str, Any]) -> Moment:
        phone, user_id = str(action.get("from") or "").lstrip("+"), action.get("user_id")
        number = self._accounts.number(str(action.get("to", self._default)))
        if number is None:
            raise ValueError(f"the profile has no number {action['to']}; it has {', '.join(self._numbers)}")
        person = Recipient(phone or None, str(user_id) if user_id else user_id_of(phone))
        return Moment(
            number=number,
            person=person,
            id=self._ids.received(phone or str(user_id)),
            at=int(time.time()),
            name=str(action.get("name", "Ada")),
            username=action.get("username"),
            answered=self._answered(action),
        )

    def _answered(self, action: Mapping[str, Any]) -> str | None:
        """Return the id of the message that an answer is to: the last one that was sent to the customer."""
        if action.get("type") not in ANSWERS or "answers" in action or "message_id" in action:
            return None
        return self.answers.last_wamid(contact_of(action))

    @property
    def _numbers(self) -> list[str]:
        return [number.id for number in self._accounts.numbers]


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
    """Return the action that the command line describes."""
    action: Action = {"type": kind}
    if value is not None:
        action |= _main_field(kind, value)
    for field in fields:
        name, found, text = field.partition("=")
        if not found:
            raise click.UsageError("A --field must have the form NAME=VALUE.")
        action[name] = _json_or_text(text)
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


def _with_file(action: Action) -> Action:
    """Return the action with a file where it has none: a sample, which the fake Meta of a dry-run knows."""
    if action["type"] not in MEDIA or "media" in action:
        return action
    sample = SAMPLES[action["type"]]
    facts = {"mime_type": sample.mime_type, "sha256": sample.sha256}
    return {**action, "media": {"id": sample.id, **facts}}
