"""The fields that Meta's webhooks are about. The set is open: one that is not listed is none to refuse.

Source: Meta, WhatsApp Business Platform, "Webhooks", reference.
"""

from collections.abc import Callable
from typing import Any

from app.domain.meta import event_types

Kind = str | Callable[[dict[str, Any]], str | None]
"""An event's type, or how an item tells it (None: it does not)."""

ITEM_LISTS: dict[str, Kind] = {
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
"""Lists that hold items, and what the items are unless the field says otherwise."""

LIST_FIELDS: dict[str, dict[str, Kind]] = {
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
"""Fields whose values hold lists of items."""

VALUE_FIELDS: dict[str, Kind] = {
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
"""Fields whose value is the item; or it has a list of them, named like the field, or `groups`."""


def item_keys(field: str | None, value: dict[str, Any]) -> list[str]:
    """The keys of a value under which its items stand; none if the value itself is the item.

    In a field of lists each list holds items, and what should be a list and is none is an odd item. In other
    fields only the lists that tell so do.
    """
    keys = list_keys(value)
    if field in LIST_FIELDS:
        return keys
    telling = {field, "groups"} if field in VALUE_FIELDS else {field, *ITEM_LISTS} - {"errors"}
    return [key for key in keys if key in telling and isinstance(value[key], list)]


def list_keys(value: dict[str, Any]) -> list[str]:
    """The keys of a value's lists, but for the contacts; and those that should be lists."""
    return [key for key, inside in value.items() if key != "contacts" and _is_list_of_items(key, inside)]


def _is_list_of_items(key: str, inside: Any) -> bool:
    return bool(inside) if isinstance(inside, list) else key in ITEM_LISTS and inside is not None


def kind_of_item(field: str | None, key: str) -> Kind:
    """What the items of this list are, in this field. In a field that we do not know, they are unknown too."""
    if field in VALUE_FIELDS and key in (field, "groups"):
        return VALUE_FIELDS[field]
    if field not in LIST_FIELDS:
        return event_types.unknown
    return LIST_FIELDS[field].get(key) or ITEM_LISTS.get(key, event_types.unknown)


def kind_of_value(field: str | None) -> Kind:
    """What a value without items is."""
    return VALUE_FIELDS.get(field, event_types.unknown) if field else event_types.unknown
