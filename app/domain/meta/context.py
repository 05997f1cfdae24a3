"""Limits how much of Meta's envelope around an item is stored with it, and reads the ids and contacts there."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any

from app.domain.meta import scalars

MAX_CONTEXT_BYTES = 8192
"""Largest context of an item. Each item stores its own copy: 1 MB of context and 1000 items would make 1 GB."""

canonical = json.JSONEncoder(separators=(",", ":"), sort_keys=True, allow_nan=False).encode
"""Encode as ASCII JSON that is the same for equal values."""


def split_oversized(
    around: dict[str, Any], leave: Collection[str], keep: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an object without the keys in `leave`, as (what goes with each item, what is too large for that).

    Of an oversized object only the keys in `keep` go with each item.
    """
    context = {key: value for key, value in around.items() if key not in leave}
    if is_small(context):
        return context, {}
    kept = {key: context[key] for key in keep if key in context and is_small(context[key])}
    return kept, {key: value for key, value in context.items() if key not in kept}


def is_small(value: Any) -> bool:
    """Return whether a value is small enough to be stored with each item."""
    return len(canonical(value)) <= MAX_CONTEXT_BYTES


@dataclass(frozen=True)
class Scope:
    """The fields of the envelope that all items of one change share."""

    object: Any
    entry: dict[str, Any]
    field: Any = None
    value: dict[str, Any] = dataclass_field(default_factory=dict)
    contacts: tuple[dict[str, Any], ...] = ()

    @property
    def field_name(self) -> str | None:
        """Return the field if it is a name."""
        return scalars.text(self.field)

    @cached_property
    def waba_id(self) -> str | None:
        """Return the id of the WhatsApp Business account."""
        return scalars.visible(self.entry.get("id"))

    @cached_property
    def phone_number_id(self) -> str | None:
        """Return the id of the business phone number if the value names one."""
        holders = (self.value.get(key) for key in ("metadata", "recipient"))  # a handover has it under `recipient`
        ids = (scalars.visible(holder.get("phone_number_id")) for holder in holders if isinstance(holder, dict))
        return next(filter(None, ids), None)

    @cached_property
    def contacts_by_user_id(self) -> dict[str | None, dict[str, Any]]:
        """Return the contacts by user id; the first one where two have the same."""
        return {user_id: contact for _, user_id, contact in reversed(self._contact_ids)}

    @cached_property
    def contacts_by_wa_id(self) -> dict[str | None, dict[str, Any]]:
        """Return the contacts by phone; the first one where two have the same."""
        return {wa_id: contact for wa_id, _, contact in reversed(self._contact_ids)}

    @cached_property
    def _contact_ids(self) -> list[tuple[str | None, str | None, dict[str, Any]]]:
        ids = [scalars.customer_ids(contact.get("wa_id"), contact.get("user_id")) for contact in self.contacts]
        return [(wa_id, user_id, contact) for (wa_id, user_id, _), contact in zip(ids, self.contacts, strict=True)]

    def contact_left_over(self, wa_ids: Collection[str | None], user_ids: Collection[str | None]) -> Any:
        """Return the only contact that has none of these phones and user ids; None if there are none or several."""
        left = [
            contact
            for wa_id, user_id, contact in self._contact_ids
            if (wa_id is None or wa_id not in wa_ids) and (user_id is None or user_id not in user_ids)
        ]
        return left[0] if len(left) == 1 else None
