"""Recognise an edit: an item with the id of an earlier item but different content."""

from typing import Any

from app.domain.event import NewEvent, event_id_of
from app.domain.meta.context import canonical

MESSAGE_LISTS = ("messages", "message_echoes")


def is_edit(event: NewEvent, earlier_item: Any) -> bool:
    """Return whether `event` edits an earlier item with the same id, which is stored or came earlier in this batch.

    A repeated status is never an edit: Meta repeats it with a price or a later time. A message is edited when the
    object under its type differs; an item of any other list is, when anything differs.
    """
    if event.raw == earlier_item:
        return False
    return bool(_content(event.origin.path, event.raw) != _content(event.origin.path, earlier_item))


def edit_id(event: NewEvent) -> str:
    """Return the edit's id, a hash of the event's id and its new content."""
    key = ["edit", event.id, _content(event.origin.path, event.raw)]
    return event_id_of(canonical(key))


def _content(path: str, raw: Any) -> Any:
    """Return the content to compare: for a message the object under its `type`; None for a status; else the item."""
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
