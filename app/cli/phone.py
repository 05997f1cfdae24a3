"""A customer's phone in front of a running dry-run service: it posts what customers do, as Meta would."""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from app.cli import CommandFailed
from app.cli.answers import Answers
from app.cli.client import Client
from app.config import Settings
from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.customers import CHOOSING, MEDIA, ActionContext, change_by
from app.graph.fake.ids import Ids
from app.graph.fake.media import address_from
from app.graph.fake.people import user_id_of
from app.graph.fake.samples import SAMPLES
from app.graph.fake.statuses import Recipient
from app.graph.fake.switches import Switches
from app.graph.fake.webhooks import Change, bytes_of, headers_of
from app.graph.fake.wire import ORIGIN

ANSWERS = ("button", "list", "template_button", "flow", "reaction")

Action = dict[str, Any]


@dataclass(frozen=True)
class Posting:
    """How webhooks are posted: `batch` updates in each, each twice (`duplicate`), the last one first (`disorder`)."""

    batch: int = 1
    duplicate: bool = False
    disorder: bool = False

    def in_webhooks(self, changes: Sequence[Change]) -> Iterable[bytes]:
        """Return the bodies of the webhooks that report these changes, in the order in which they are posted."""
        starts = range(0, len(changes), self.batch)
        bodies = [bytes_of(changes[start : start + self.batch]) for start in starts]
        ordered = reversed(bodies) if self.disorder else bodies
        return (body for body in ordered for _ in range(2 if self.duplicate else 1))


class Phone:
    """Posts what customers do to a service, as Meta would."""

    def __init__(self, client: Client, settings: Settings, posting: Posting) -> None:
        number, *_ = settings.whatsapp.phone_number_ids
        numbers = tuple(Number(each, settings.whatsapp.waba_id) for each in settings.whatsapp.phone_number_ids)
        self._client = client
        self.answers = Answers(client)
        self._default = number
        self._accounts = Accounts(numbers, app_secret=settings.webhook.app_secret.current)
        self._path = settings.webhook.path
        self._posting = posting
        counter = count(1)
        self._ids = Ids(secrets.token_hex(16), lambda _: next(counter))

    def act(self, actions: Iterable[Action]) -> list[str]:
        """Post the webhooks of actions between which nothing is waited for; return the ids of the messages."""
        changes = [self._change_by(action) for action in actions]
        for body in self._posting.in_webhooks([change for _, change in changes]):
            self._client.post_webhook(self._path, body, headers_of(body, self._accounts, Switches()))
        return [message_id for message_id, _ in changes]

    def _change_by(self, action: Action) -> tuple[str, Change]:
        """Return the id of an action's message, and the webhook's change that reports it."""
        try:
            context = self._context(action)
            change = change_by(context, _with_file(action))
        except (KeyError, TypeError, ValueError) as error:
            raise CommandFailed(str(error)) from error
        if self._client.says_it_is_a_dry_run:
            self.answers.tell_meta(context.number.id, action)
        return context.id, change

    def _context(self, action: Mapping[str, Any]) -> ActionContext:
        phone, user_id = str(action.get("from") or "").lstrip("+"), action.get("user_id")
        number = self._accounts.number(str(action.get("to", self._default)))
        if number is None:
            raise ValueError(f"the profile has no number {action['to']}; it has {', '.join(self._numbers)}")
        person = Recipient(phone or None, str(user_id) if user_id else user_id_of(phone))
        return ActionContext(
            number=number,
            person=person,
            id=self._ids.received(phone or str(user_id)),
            at=int(time.time()),
            name=str(action.get("name", "Ada")),
            username=action.get("username"),
            answered=self._answered(action),
            choices=self._choices(number, action),
        )

    def _answered(self, action: Mapping[str, Any]) -> str | None:
        """Return the id of the message that an answer is to: the last one that was sent to the customer."""
        if action.get("type") not in ANSWERS or "answers" in action or "message_id" in action:
            return None
        return self.answers.last_wamid(contact_of(action))

    def _choices(self, number: Number, action: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        """Return what the last message to the customer offers, by title; only a dry-run's Meta reveals it."""
        if action.get("type") not in CHOOSING or "id" in action or not self._client.says_it_is_a_dry_run:
            return {}
        return self.answers.choices(number.id, contact_of(action))

    @property
    def _numbers(self) -> list[str]:
        return [number.id for number in self._accounts.numbers]


def contact_of(action: Mapping[str, Any]) -> str:
    """Return the name by which the API knows the customer of an action."""
    return str(action.get("from") or action.get("user_id"))


def _with_file(action: Action) -> Action:
    """Return the action with a file where it has none: a sample, which the fake Meta of a dry-run knows."""
    if action["type"] not in MEDIA or "media" in action:
        return action
    sample = SAMPLES[action["type"]]
    facts = {"mime_type": sample.mime_type, "sha256": sample.sha256}
    return {**action, "media": {"id": sample.id, **facts, "url": address_from(time.time(), ORIGIN, sample.id)}}
