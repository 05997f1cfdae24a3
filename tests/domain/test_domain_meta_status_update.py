"""What a status says of a message, and what an event tells of a conversation."""

from typing import Any

import pytest

from app.domain.message import MessageStatus
from app.domain.meta.status_update import message_in, status_update
from app.domain.meta.touch import touch_of
from app.domain.outbound_event import MessageChange, event_of_change
from app.domain.tracker import FIELD
from tests.support.messages import status, webhook
from tests.support.store import NOON


@pytest.mark.parametrize("wamid", ["", "wamid\u00e9", "a b", "x" * 1025, None, {"id": 1}])
def test_a_status_without_an_id_of_a_message_says_nothing(wamid: Any) -> None:
    [event] = webhook(statuses=[{**status("wamid.A"), "id": wamid}])

    assert status_update(event.event) is None


def test_a_status_says_what_became_of_a_message() -> None:
    [event] = webhook(statuses=[status("wamid.A", "read")])

    update = status_update(event.event)

    assert update is not None
    assert (update.wamid, update.status, update.tracker, update.has_tracker) == ("wamid.A", "read", None, False)


def test_a_message_of_nobody_tells_nothing_of_a_conversation() -> None:
    [event] = webhook(
        messages=[{"id": "wamid.in", "timestamp": "1764000000", "type": "text", "text": {"body": "hi"}}]
    )

    assert touch_of(event.event) is None


def test_an_event_about_a_message_of_ours_tells_its_id() -> None:
    tracker = f"wats1.{'0' * 16}.{'ab' * 16}.2"
    statuses = [{**status("wamid.A"), FIELD: tracker}, {**status("wamid.B"), FIELD: "another's"}]
    events = [one.event for one in webhook(statuses=statuses)]
    change = MessageChange("evt_1", MessageStatus.FAILED, NOON, "1", {"messageId": "msg_1"})

    told = [message_in(event) for event in [*events, event_of_change(change)]]

    assert told == [f"msg_{'ab' * 16}", None, "msg_1"]
