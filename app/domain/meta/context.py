"""What stands around an item in Meta's envelope, and how much of it goes with each item."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any

from app.domain.meta import scalars

MAX_BYTES = 8192
"""As much goes along. Surroundings are kept with every item: a megabyte of them must not become a thousand."""

canonical = json.JSONEncoder(separators=(",", ":"), sort_keys=True, allow_nan=False).encode
"""JSON as ASCII, the same for equal values."""


def split_oversized(
    around: dict[str, Any], leave: Collection[str], keep: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An object without the keys to leave, and what of it is too much to go with each item.

    Of too large an object only the keys to keep go along.
    """
    kept = {key: value for key, value in around.items() if key not in leave}
    if is_small(kept):
        return kept, {}
    small = {key: kept[key] for key in keep if key in kept and is_small(kept[key])}
    return small, {key: value for key, value in kept.items() if key not in small}


def is_small(thing: Any) -> bool:
    """Tells whether it may go with each item."""
    return len(canonical(thing)) <= MAX_BYTES


@dataclass(frozen=True)
class Scope:
    """What the items of one change have in common. `is_only_item`: there is but one item."""

    object: Any
    entry: dict[str, Any]
    field: Any = None
    value: dict[str, Any] = dataclass_field(default_factory=dict)
    contacts: tuple[dict[str, Any], ...] = ()
    is_only_item: bool = True

    @property
    def field_name(self) -> str | None:
        """The field, if it is a name."""
        return scalars.text(self.field)

    @cached_property
    def waba_id(self) -> str | None:
        """The account."""
        return scalars.visible(self.entry.get("id"))

    @cached_property
    def phone_number_id(self) -> str | None:
        """The number, if the value names one."""
        named = (self.value.get(key) for key in ("metadata", "recipient"))  # a handover names it as the recipient
        found = (scalars.visible(one.get("phone_number_id")) for one in named if isinstance(one, dict))
        return next((one for one in found if one), None)

    @cached_property
    def contacts_by_user_id(self) -> dict[str | None, dict[str, Any]]:
        """The contacts that have a user id; of two with the same the first."""
        return {scalars.user_id(one.get("user_id")): one for one in reversed(self.contacts)}

    @cached_property
    def contacts_by_wa_id(self) -> dict[str | None, dict[str, Any]]:
        """The contacts that have a phone; of two with the same the first."""
        return {scalars.phone(one.get("wa_id")): one for one in reversed(self.contacts)}
