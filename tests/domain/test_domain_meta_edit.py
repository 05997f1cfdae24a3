"""An item under a known id is an edit if its own content differs; what Meta adds around the content is no edit."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.meta.edit import edit_id, is_edit
from tests.support.envelopes import change, envelope, events_of, inbound_text, status

IMAGE = {"id": "1", "mime_type": "image/jpeg", "caption": "hi", "url": "https://lookaside.test/1"}
CALL = {"id": "wacid.1", "event": "connect", "timestamp": "1764000000"}


def events_of_items(field: str, key: str, *items: dict[str, Any]) -> Any:
    return events_of(envelope(change(field, **{key: list(items)})))


def test_a_message_with_another_text_is_an_edit_and_its_id_follows_from_the_text() -> None:
    first, edited, again, other = events_of_items(
        "messages", "messages", *[inbound_text(text) for text in ("hi", "hello", "hello", "hey")]
    )

    assert first.id == edited.id
    assert is_edit(edited, first.raw)
    assert not is_edit(edited, again.raw)
    assert edit_id(edited) == edit_id(again)
    assert len({first.id, edit_id(first), edit_id(edited), edit_id(other)}) == 4


@pytest.mark.parametrize(
    ("field", "key", "item", "changes", "expected"),
    [
        ("messages", "messages", inbound_text(), {"context": {"forwarded": True}, "timestamp": "1764000009"}, False),
        ("messages", "messages", inbound_text(type="image", image=IMAGE), {"image": {**IMAGE, "url": "u"}}, False),
        ("messages", "messages", inbound_text(type="image", image=IMAGE), {"image": {**IMAGE, "caption": "x"}}, True),
        ("messages", "messages", inbound_text(type="contacts", contacts=[{"a": 1}]), {"contacts": [{"a": 1}]}, False),
        ("messages", "messages", inbound_text(type="contacts", contacts=[{"a": 1}]), {"contacts": [{"a": 2}]}, True),
        ("messages", "messages", inbound_text(type="edit", edit={"a": 1}), {"edit": {"a": 2}}, True),
        ("messages", "messages", inbound_text(type=["odd"]), {"text": {"body": "hello"}}, False),
        ("smb_message_echoes", "message_echoes", inbound_text(), {"text": {"body": "hello"}}, True),
        ("messages", "statuses", status("failed"), {"errors": [{"code": 1}]}, False),
        ("messages", "statuses", status(), {"pricing": {"billable": True}}, False),
        ("calls", "calls", CALL, {"session": {"sdp": "v=0"}}, True),
        ("calls", "calls", CALL, {"timestamp": "1764000009"}, False),
    ],
)
def test_what_makes_an_item_an_edit(
    field: str, key: str, item: dict[str, Any], changes: dict[str, Any], expected: bool
) -> None:
    first, second = events_of_items(field, key, item, {**item, **changes})

    assert is_edit(second, first.raw) is expected


def test_a_message_of_the_history_may_be_an_edit() -> None:
    threads = [{"id": "49160", "messages": [inbound_text("hi"), inbound_text("hello")]}]

    first, second = events_of(envelope(change("history", history=[{"threads": threads}])))

    assert is_edit(second, first.raw)


def test_an_item_that_is_no_object_is_an_edit_of_any_other() -> None:
    first, second = events_of_items("messages", "messages", inbound_text(), inbound_text())

    assert is_edit(replace(first, raw="odd"), second.raw)
    assert edit_id(replace(first, raw="odd")) != edit_id(second)
