"""An event: one thing that happened, split out of a receipt. Its id depends on what happened, not on how it came."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from app.domain.trace import TraceContext

EVENT_VERSION = 1
"""The version of an event's JSON. It is raised when a field is removed or changes its meaning."""

EVENT_ID = re.compile(r"evt_[0-9a-f]{32}", re.ASCII)
"""An event's public id: 128 bits of the digest of its key."""

TYPE_GLOB = re.compile(r"[A-Za-z0-9_.*?-]{1,100}", re.ASCII)
"""An event type or a glob: `*` matches any characters, dots included, `?` matches one. Brackets are refused."""


ASKED_FOR_ONLY = ("outbound.", "operator.")
"""Families of types that only a glob selects that begins with the family: `*` does not."""

MARK_BYTES = 4
"""Few, so that a cursor stays short; two events have the same ones once in 4 billion times."""


@dataclass(frozen=True)
class Position:
    """The position of a reader of events: behind the event with this sequence.

    `mark` begins like the id of that event, None if it is not known: in a restored database its sequence may be
    another event's.
    """

    sequence: int
    mark: bytes | None = None


@dataclass(frozen=True)
class Contact:
    """A customer, as far as Meta identifies it. The user id is stable; the phone number (`wa_id`) may be missing."""

    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    profile_name: str | None = None


@dataclass(frozen=True)
class Origin:
    """The envelope around an item: enough to build an envelope that holds this item alone.

    `entry` lacks its changes, `value` lacks its lists of items and contacts, `contacts` are the item's own.
    `path` is the item's place: `value.messages[]` for an item of that list, `value` where the value itself is the
    item; `change`, `entry` or `body` where one of these has an unexpected shape. `ancestors` are the objects around
    an item of nested lists, the outermost first: for `value.history[].threads[].messages[]` the chunk of history and
    the thread.
    """

    object: Any
    entry: dict[str, Any]
    field: Any
    value: dict[str, Any]
    contacts: list[Any]
    path: str
    ancestors: list[Any] = dataclass_field(default_factory=list)


@dataclass(frozen=True)
class NewEvent:
    """An event that is not stored yet. `raw` is Meta's item exactly; `data` is what we read out of it.

    `trace`: the span that its deliveries follow, if it is not that of its receipt.
    """

    id: str
    type: str
    occurred_at: datetime
    waba_id: str | None
    phone_number_id: str | None
    contact: Contact
    data: dict[str, Any]
    raw: Any
    origin: Origin
    trace: TraceContext | None = dataclass_field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True)
class Event(NewEvent):
    """A stored event. `foreign`: its account or number was not in the profile when it came.

    An event that did not come by a webhook has no receipt.
    """

    sequence: int
    received_at: datetime
    receipt_id: str | None
    foreign: bool

    @property
    def followed(self) -> TraceContext:
        """The span that its deliveries follow. One that is not stored is the same with every attempt."""
        return self.trace or TraceContext.of_id(self.id.removeprefix("evt_"))

    @property
    def position(self) -> Position:
        """Return the position of a reader that has read this event."""
        return Position(self.sequence, bytes.fromhex(self.id.removeprefix("evt_"))[:MARK_BYTES])


def event_id_of(key: str) -> str:
    """Return the id of the event with this key, a text that only one event has."""
    return f"evt_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def type_matches(event_type: str, globs: Sequence[str]) -> bool:
    """Return whether one of the globs selects this type."""
    family = next((name for name in ASKED_FOR_ONLY if event_type.startswith(name)), "")
    return any(glob.startswith(family) and fnmatchcase(event_type, glob) for glob in globs)
