"""Recognise an edit: an item under the id of a known item, whose own content is another."""

import hashlib
from typing import Any

from app.domain.event import NewEvent
from app.domain.meta.context import canonical

MESSAGE_LISTS = ("messages", "message_echoes")


def is_edit(event: NewEvent, known: Any) -> bool:
    """Return whether an event is news, although `known` is the item of the stored event with its id.

    Statuses never are: Meta sends one again with a price or a later time.
    """
    if event.raw == known:
        return False
    return bool(_content(event.origin.path, event.raw) != _content(event.origin.path, known))


def edit_id(event: NewEvent) -> str:
    """Return the id of an edit: it follows from the id of the known event and from the new content."""
    key = ["edit", event.id, _content(event.origin.path, event.raw)]
    return "evt_" + hashlib.sha256(canonical(key).encode("ascii")).hexdigest()[:32]


def _content(path: str, raw: Any) -> Any:
    """Return what an item says: of a message the object that its type names."""
    list_name = path.removesuffix("[]").rpartition(".")[2]
    if list_name == "statuses":
        return None
    if not isinstance(raw, dict):
        return raw
    if list_name not in MESSAGE_LISTS:  # a call, for instance, which Meta may repeat with a later time
        return {key: member for key, member in raw.items() if key != "timestamp"}
    type_ = raw.get("type")
    return _without_urls(raw.get(type_)) if isinstance(type_, str) else None


def _without_urls(content: Any) -> Any:
    """Return the content without the URLs of media: they expire, and Meta may make a new one when it sends again."""
    if isinstance(content, list):
        return [_without_urls(member) for member in content]
    if not isinstance(content, dict):
        return content
    is_media = "mime_type" in content
    return {key: _without_urls(member) for key, member in content.items() if not (is_media and key == "url")}
