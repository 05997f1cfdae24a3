"""Reads what Meta knows of a message whose wamid is known: `GET /{phone number id}/message_history`.

Source: Meta's OpenAPI document, v23. The answer names neither the recipient nor our tracker. Meta finds a
message by its wamid only.
"""

from collections.abc import Iterator
from typing import Any

from app.domain.event import Contact
from app.domain.message import MessageStatus
from app.domain.meta import scalars
from app.domain.meta.event_types import STATUSES_OF_MESSAGE
from app.domain.meta.graph_errors import ErrorClass
from app.domain.meta.status_update import StatusUpdate

FIELDS = "id,message_id,events{delivery_status,timestamp,error_description}"


def statuses_of_history(answer: Any, wamid: str, phone_number_id: str) -> list[StatusUpdate]:
    """Return the statuses of this message in an answer, in the order of the answer."""
    return [
        StatusUpdate(wamid, phone_number_id, status, at, Contact(), error=_error(event, status))
        for entry in _objects(answer, "data")
        if entry.get("message_id") == wamid
        for event in _objects(entry.get("events"), "data")
        if (status := _status(event)) is not None and (at := scalars.timestamp(event.get("timestamp"))) is not None
    ]


def _status(event: dict[str, Any]) -> MessageStatus | None:
    word = scalars.word(event.get("delivery_status"))
    return MessageStatus(word) if word in STATUSES_OF_MESSAGE else None


def _error(event: dict[str, Any], status: MessageStatus) -> dict[str, Any] | None:
    if status is not MessageStatus.FAILED:
        return None
    said = scalars.text(event.get("error_description")) or "Meta's history of the message says that it failed"
    return {"message": said, "class": ErrorClass.OTHER.value}


def _objects(document: Any, key: str) -> Iterator[dict[str, Any]]:
    items = document.get(key) if isinstance(document, dict) else None
    yield from (item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict))
