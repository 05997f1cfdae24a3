"""The fields of Meta's webhooks and the types of their items. The set is open: an unlisted field is not refused.

Source: Meta, WhatsApp Business Platform, "Webhooks", reference.
"""

from collections.abc import Callable
from typing import Any

from app.domain.meta import event_types

TypeRule = str | Callable[[dict[str, Any]], str | None]
"""An event's type, or a function that reads it from the item (None: the item does not say)."""

ITEM_LISTS: dict[str, TypeRule] = {
    "messages": event_types.message,
    "message_echoes": event_types.echo,
    "statuses": event_types.status,
    "calls": event_types.call,
    "errors": "error",
    "state_sync": event_types.app_state,
    "user_preferences": "contact.preference",
    "user_id_update": "contact.user_id_changed",
    "groups": event_types.unknown,
    "history": event_types.unknown,
}
"""Lists that hold items, with the type of the items where LIST_FIELDS does not override it."""

LIST_FIELDS: dict[str, dict[str, TypeRule]] = {
    "messages": {},
    "message_echoes": {"messages": event_types.echo},
    "smb_message_echoes": {"messages": event_types.echo},
    "history": {
        "messages": "history.message",
        "statuses": "history.status",
        "errors": "history.error",
        "history": "history.status",
    },
    "smb_app_state_sync": {},
    "calls": {"statuses": event_types.call_status},
    "user_preferences": {},
}
"""Fields whose values hold lists of items, with the lists whose items have another type than usual."""

VALUE_FIELDS: dict[str, TypeRule] = {
    "account_alerts": "account.alert",
    "account_review_update": "account.review",
    "account_settings_update": "account.settings",
    "account_update": "account.update",
    "automatic_events": "automatic.event",
    "business_capability_update": "business.capability",
    "business_status_update": "business.status",
    "business_username_updates": "business.username",
    "consumer_profile": "contact.profile",
    "flows": event_types.flow,
    "group_lifecycle_update": "group.lifecycle",
    "group_participants_update": "group.participants",
    "group_settings_update": "group.settings",
    "group_status_update": "group.status",
    "message_template_components_update": "template.components",
    "message_template_quality_update": "template.quality",
    "message_template_status_update": "template.status",
    "messaging_handovers": "conversation.handover",
    "partner_solutions": "partner.solution",
    "payment_configuration_update": "payment.configuration",
    "phone_number_name_update": "phone_number.name",
    "phone_number_quality_update": "phone_number.quality",
    "security": "phone_number.security",
    "template_category_update": "template.category",
    "tracking_events": "tracking.event",
    "user_id_update": "contact.user_id_changed",
}
"""Fields whose value is the item, or holds a list of items under the field's name or `groups`."""


def item_keys(field: str | None, value: dict[str, Any]) -> list[str]:
    """Return the keys of a value that hold its items; empty if the value itself is the item.

    In a field of LIST_FIELDS every list holds items, and something else in a list's place is one odd item. In any
    other field only the lists with a known name hold items.
    """
    keys = list_keys(value)
    if field in LIST_FIELDS:
        return keys
    known = {field, "groups"} if field in VALUE_FIELDS else {field, *ITEM_LISTS} - {"errors"}
    return [key for key in keys if key in known and isinstance(value[key], list)]


def list_keys(value: dict[str, Any]) -> list[str]:
    """Return the keys of a value's non-empty lists, `contacts` excepted, and of members that should be lists."""
    return [key for key, member in value.items() if key != "contacts" and _holds_items(key, member)]


def _holds_items(key: str, member: Any) -> bool:
    return bool(member) if isinstance(member, list) else key in ITEM_LISTS and member is not None


def type_of_listed(field: str | None, key: str) -> TypeRule:
    """Return the type rule for the items of a list in a field. Items of an unknown field are unknown."""
    if field in VALUE_FIELDS and key in (field, "groups"):
        return VALUE_FIELDS[field]
    if field not in LIST_FIELDS:
        return event_types.unknown
    return LIST_FIELDS[field].get(key) or ITEM_LISTS.get(key, event_types.unknown)


def type_of_value(field: str | None) -> TypeRule:
    """Return the type rule for a value that is itself the item."""
    return VALUE_FIELDS.get(field, event_types.unknown) if field else event_types.unknown
