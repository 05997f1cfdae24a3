"""What a consumer wants to know of an item. Ours is camelCase; Meta's own objects keep their names and are whole."""

from collections.abc import Callable
from typing import Any

from app.domain.meta.items import COMMON, Item

VERBATIM_OF_MESSAGE = ("context", "referral", "identity", "errors", "history_context")
VERBATIM_OF_STATUS = ("pricing", "conversation", "errors")
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


def data_of(found: Item, event_type: str) -> dict[str, Any]:
    """An event's data; of what we do not know none, its raw item tells all."""
    if not isinstance(found.raw, dict) or event_type.startswith("unknown."):
        return {}
    if found.key == "history":
        return _progress(found.raw)
    reader = _READERS.get(found.key, _value if found.path == "value" else dict)
    return {**reader(found.raw), **_changed(found.raw, event_type), **_piece_of_history(found)}


def _value(value: dict[str, Any]) -> dict[str, Any]:
    return {key: inside for key, inside in value.items() if key not in COMMON and key != "contacts"}


def _message(item: dict[str, Any]) -> dict[str, Any]:
    type_ = item.get("type")
    content = {type_: item[type_]} if isinstance(type_, str) and type_ in item else {}
    context, reaction = item.get("context"), item.get("reaction")
    return {
        **content,
        **_renamed(item, NAMES_OF_MESSAGE),
        **_verbatim(item, VERBATIM_OF_MESSAGE),
        **(_forwarded(context) if isinstance(context, dict) else {}),
        **({"removed": not reaction.get("emoji")} if isinstance(reaction, dict) else {}),
    }


def _forwarded(context: dict[str, Any]) -> dict[str, Any]:
    return {ours: True for theirs, ours in NAMES_OF_FORWARDING.items() if context.get(theirs) is True}


def _status(item: dict[str, Any]) -> dict[str, Any]:
    return {**_renamed(item, NAMES_OF_STATUS), **_verbatim(item, VERBATIM_OF_STATUS)}


def _call(item: dict[str, Any]) -> dict[str, Any]:
    return {**_renamed(item, NAMES_OF_CALL), **_verbatim(item, VERBATIM_OF_CALL)}


def _changed(item: dict[str, Any], event_type: str) -> dict[str, Any]:
    """What a customer's number or user id was and is, whichever way Meta tells it."""
    if event_type not in ("contact.number_changed", "contact.user_id_changed"):
        return {}
    system, told = item.get("system"), item.get("user_id")
    if isinstance(system, dict):
        was = {"waId": item.get("from"), "userId": system.get("previous_user_id") or item.get("from_user_id")}
        now = {"waId": system.get("wa_id"), "userId": system.get("user_id")}
    else:
        was, now = ({"userId": told.get(key) if isinstance(told, dict) else None} for key in ("previous", "current"))
    return {"previous": _present(was), "current": _present(now)}


def _piece_of_history(found: Item) -> dict[str, Any]:
    """How far the history has come, and whose thread it is."""
    if not found.ancestors:
        return {}
    piece, *threads = found.ancestors
    return {**_progress(piece), **(_renamed(threads[0], {"id": "threadId"}) if threads else {})}


def _progress(piece: dict[str, Any]) -> dict[str, Any]:
    metadata = piece.get("metadata")
    return _renamed(metadata, NAMES_OF_PROGRESS) if isinstance(metadata, dict) else {}


def _renamed(item: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {ours: item[theirs] for theirs, ours in names.items() if item.get(theirs) is not None}


def _verbatim(item: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: item[key] for key in keys if item.get(key) is not None}


def _present(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None}


_READERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "messages": _message,
    "message_echoes": _message,
    "statuses": _status,
    "calls": _call,
}
