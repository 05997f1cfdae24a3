"""An event: one thing that happened, split out of a receipt. Its id follows from what happened, not how it came."""

import re
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from typing import Any

EVENT_VERSION = 1
"""The version of an event's JSON. It is raised when a field is taken away or means something else."""

EVENT_ID = re.compile(r"evt_[0-9a-f]{32}", re.ASCII)
"""An event's public id: 128 bits of the digest of its key."""


@dataclass(frozen=True)
class Contact:
    """A customer, as far as Meta tells who it is: the user id is the stable name, the phone may be missing."""

    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    profile_name: str | None = None


@dataclass(frozen=True)
class Origin:
    """What stood around the item in Meta's envelope: enough to build an envelope that holds just this item again.

    `entry` is without its changes, `value` without its lists of items and contacts, `contacts` are the item's own.
    `path` is where the item stood: `value.messages[]` in that list of the value, `value` where the value itself is
    the item, `change`, `entry` or `body` where something odd is. `ancestors` is what stood around an item of a list in a
    list, from outside in: in `value.history[].threads[].messages[]` the piece of history and the thread.
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
    """An event on its way into the store. `raw` is Meta's item exactly; `data` is what we read out of it."""

    id: str
    type: str
    occurred_at: datetime
    waba_id: str | None
    phone_number_id: str | None
    contact: Contact
    data: dict[str, Any]
    raw: Any
    origin: Origin


@dataclass(frozen=True)
class Event(NewEvent):
    """An event as the store remembers it. `foreign`: of a number that the profile did not list when it came."""

    sequence: int
    received_at: datetime
    receipt_id: str
    foreign: bool
