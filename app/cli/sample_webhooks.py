"""The webhooks that `webhook send` posts: our examples, with ids and times of their own at each use."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.graph.fake.people import user_id_of
from app.graph.fake.webhooks import Change, bytes_of
from app.web.examples import CHANGES, envelope_of
from app.web.examples.changes import AT, METADATA, PHONE, USER_ID

NUMBER_ID = METADATA["phone_number_id"]
ACCOUNT_ID = envelope_of({})["entry"][0]["id"]
META_IDS = ("wamid.", "wacid.")
AROUND_LISTS = ("messaging_product", "metadata")


class NotInSample(Exception):
    """The example has no place for what was given."""


@dataclass(frozen=True)
class Sample:
    """The values that fill an example. `customer`: a phone number's digits."""

    account_id: str
    number_id: str
    customer: str | None = None
    text: str | None = None
    nonce: str = field(default_factory=lambda: secrets.token_hex(6))

    def change(self, type_: str, number: int, at: int) -> Change:
        """Return the example of a type as update `number` of this use, at this time."""
        example = CHANGES[type_]
        value = _Filling(self, f"{self.nonce}.{number}", at).fill(example["value"])
        lists = [item for key, item in value.items() if key not in AROUND_LISTS]
        is_mergeable = "metadata" in value and all(isinstance(item, list) for item in lists)
        return Change(self.account_id, example["field"], value, at=None if is_mergeable else at)


def webhook_of(sample: Sample, types: Iterable[str], *, first: int, batch: int, at: int) -> bytes:
    """Return one webhook with `batch` updates of each type; the first is number `first` of its use.

    Each update is a second older than the next: some differ in their time alone.
    """
    updates = [type_ for type_ in types for _ in range(batch)]
    started = at - len(updates) + 1
    return bytes_of(sample.change(type_, first + n, started + n) for n, type_ in enumerate(updates))


def check_sample(sample: Sample, type_: str) -> None:
    """Raise `NotInSample` if the example has no customer, or no text, to be replaced."""
    text = str(CHANGES[type_])
    if sample.customer is not None and PHONE not in text:
        raise NotInSample(f"{type_} names no customer's phone number")
    if sample.text is not None and not any(_text_key(node) for node in _mappings(CHANGES[type_])):
        raise NotInSample(f"{type_} has no text")


@dataclass(frozen=True)
class _Filling:
    sample: Sample
    suffix: str
    at: int

    def fill(self, node: Any) -> Any:
        if isinstance(node, Mapping):
            filled = {key: self.fill(value) for key, value in node.items()}
            key = _text_key(node) if self.sample.text is not None else None
            return filled if key is None else {**filled, key: self.sample.text}
        if isinstance(node, list):
            return [self.fill(item) for item in node]
        return self._scalar(node)

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(META_IDS):
            return f"{value}.{self.suffix}"
        if value == int(AT) and not isinstance(value, bool):
            return self.at
        return self._replaced.get(value, value) if isinstance(value, str) else value

    @property
    def _replaced(self) -> dict[str, str]:
        customer = self.sample.customer or PHONE
        return {
            AT: str(self.at),
            NUMBER_ID: self.sample.number_id,
            ACCOUNT_ID: self.sample.account_id,
            PHONE: customer,
            USER_ID: user_id_of(customer),  # as the fake Meta of a dry-run names the same customer in statuses
        }


def _text_key(node: Any) -> str | None:
    """Return the key under which a mapping has a message's text: `body` of a text, `caption` of a file."""
    if set(node) == {"body"}:
        return "body"
    return "caption" if "caption" in node else None


def _mappings(node: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for child in children:
        yield from _mappings(child)
