"""Read an event's `data` out of an item. Our names are camelCase; Meta's own objects are copied with their names."""

from collections.abc import Callable
from typing import Any

from app.domain.meta import scalars
from app.domain.meta.items import COMMON, Item

VERBATIM_OF_MESSAGE = ("context", "referral", "identity", "errors", "history_context")
VERBATIM_OF_STATUS = ("pricing", "conversation", "errors", "payment")
VERBATIM_OF_CALL = ("session", "connection", "errors")

NAMES_OF_MESSAGE = {"id": "id", "type": "type", "group_id": "groupId"}
NAMES_OF_FORWARDING = {"forwarded": "forwarded", "frequently_forwarded": "frequentlyForwarded"}
NAMES_OF_PROGRESS = {"phase": "phase", "chunk_order": "chunkOrder", "progress": "progress"}
NAMES_OF_STATUS = {
    "id": "id",
    "status": "status",
    "recipient_type": "recipientType",
    "recipient_id": "recipientId",
    "recipient_participant_id": "participantId",
    "recipient_participant_user_id": "participantUserId",
    "group_id": "groupId",
    "biz_opaque_callback_data": "tracker",
}
NAMES_OF_CALL = {
    "id": "id",
    "event": "event",
    "direction": "direction",
    "from": "from",
    "to": "to",
    "status": "status",
    "start_time": "startTime",
    "end_time": "endTime",
    "duration": "duration",
    "cta_payload": "ctaPayload",
    "deeplink_payload": "deeplinkPayload",
    "biz_opaque_callback_data": "tracker",
}


def data_of(item: Item, event_type: str) -> dict[str, Any]:
    """Return an event's data; empty for an unknown event, of which only the raw item is known."""
    if not isinstance(item.raw, dict) or event_type.startswith("unknown."):
        return {}
    if item.key == "history":
        return _progress(item.raw)
    reader = _READERS.get(item.key, _value if item.path == "value" else dict)
    return {**reader(item.raw), **_identity_change(item.raw, event_type), **_place_in_history(item)}


def _value(value: dict[str, Any]) -> dict[str, Any]:
    return {key: member for key, member in value.items() if key not in COMMON and key != "contacts"}


def _message(raw: dict[str, Any]) -> dict[str, Any]:
    type_ = raw.get("type")
    content = {type_: raw[type_]} if isinstance(type_, str) and type_ in raw else {}
    context, reaction = raw.get("context"), raw.get("reaction")
    return {
        **content,
        **_renamed(raw, NAMES_OF_MESSAGE),
        **_verbatim(raw, VERBATIM_OF_MESSAGE),
        **(_forwarded(context) if isinstance(context, dict) else {}),
        **({"removed": not reaction.get("emoji")} if isinstance(reaction, dict) else {}),
    }


def _forwarded(context: dict[str, Any]) -> dict[str, Any]:
    return {ours: True for theirs, ours in NAMES_OF_FORWARDING.items() if context.get(theirs) is True}


def _status(raw: dict[str, Any]) -> dict[str, Any]:
    return {**_renamed(raw, NAMES_OF_STATUS), **_verbatim(raw, VERBATIM_OF_STATUS)}


def _call(raw: dict[str, Any]) -> dict[str, Any]:
    return {**_renamed(raw, NAMES_OF_CALL), **_verbatim(raw, VERBATIM_OF_CALL)}


def _identity_change(raw: dict[str, Any], event_type: str) -> dict[str, Any]:
    """Return a customer's previous and current number or user id, from either form in which Meta sends a change."""
    if event_type not in ("contact.number_changed", "contact.user_id_changed"):
        return {}
    system, user_id = raw.get("system"), raw.get("user_id")
    if isinstance(system, dict):
        previous = _names(raw.get("from"), system.get("previous_user_id") or raw.get("from_user_id"))
        current = _names(system.get("wa_id"), system.get("user_id"))
    else:
        versions = user_id if isinstance(user_id, dict) else {}
        previous, current = ({"userId": versions.get(key)} for key in ("previous", "current"))
    return {"previous": _without_none(previous), "current": _without_none(current)}


def _names(wa_id: Any, user_id: Any) -> dict[str, Any]:
    return {"userId": user_id or wa_id} if scalars.is_user_id(wa_id) else {"waId": wa_id, "userId": user_id}


def _place_in_history(item: Item) -> dict[str, Any]:
    """Return how far the history sync is, and the id of the item's thread."""
    if not item.ancestors:
        return {}
    chunk, *threads = item.ancestors
    return {**_progress(chunk), **(_renamed(threads[0], {"id": "threadId"}) if threads else {})}


def _progress(chunk: dict[str, Any]) -> dict[str, Any]:
    metadata = chunk.get("metadata")
    return _renamed(metadata, NAMES_OF_PROGRESS) if isinstance(metadata, dict) else {}


def _renamed(raw: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {ours: raw[theirs] for theirs, ours in names.items() if raw.get(theirs) is not None}


def _verbatim(raw: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: raw[key] for key in keys if raw.get(key) is not None}


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


_READERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "messages": _message,
    "message_echoes": _message,
    "statuses": _status,
    "calls": _call,
}
