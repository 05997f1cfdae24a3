"""What a status says of a message, and what an event tells of a conversation."""

from typing import Any

import pytest

from app.domain.message import Message, MessageStatus, contact_number
from app.domain.meta.status_update import message_in, status_update
from app.domain.meta.touch import Touch, touch_of, touches_of_status
from app.domain.outbound_event import MessageChange, event_of_change
from app.domain.tracker import FIELD
from tests.support.messages import NUMBER, status, stored_message, webhook
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


PHONE, USER = "4915112345678", "DE.13491208655302741918"
REWRITTEN = "491512345678"
BOTH = {"recipient_id": PHONE, "recipient_user_id": USER}
GROUP = "Y2FwaV9ncm91cDoxMjM0NTY3ODkw"
MEMBER = {
    "recipient_id": GROUP,
    "recipient_type": "group",
    "recipient_participant_id": PHONE,
    "recipient_participant_user_id": USER,
}
SENT = stored_message(status=MessageStatus.SENT, to=f"+{PHONE}", contact=contact_number(PHONE))


def touches(message: Message | None, accepted: bool = False, **told: Any) -> list[Touch]:
    [event] = webhook(statuses=[{**status("wamid.A"), **told}])
    update = status_update(event.event)
    assert update is not None
    return touches_of_status(update, message, NOON if accepted else None)


def test_all_names_that_a_status_gives_to_its_recipient_are_one_customers() -> None:
    parent = "DE.ENT.11815799212886844830"

    [known] = touches(SENT, **BOTH, recipient_parent_user_id=parent)
    [rewritten] = touches(SENT, recipient_id=REWRITTEN)
    [of_another_application] = touches(None, **BOTH)

    assert known == Touch(None, (USER, PHONE, parent), user_id=USER)
    assert rewritten == Touch(None, (PHONE, REWRITTEN))
    assert of_another_application.names == (USER, PHONE)
    assert touches(None) == touches(SENT) == []


def test_names_that_a_message_shows_to_be_linked_are_not_linked_again() -> None:
    linked = stored_message(to=f"+{PHONE}", contact=contact_number(USER), meta_contact={"wa_id": REWRITTEN})

    assert touches(linked, **BOTH) == touches(linked, recipient_id=REWRITTEN, recipient_user_id=USER) == []
    assert len(touches(linked, recipient_id=PHONE, recipient_user_id="DE.2")) == 1


@pytest.mark.parametrize("to", [GROUP, f"+{PHONE}"])
def test_a_group_has_no_name_of_a_member(to: str) -> None:
    to_group = stored_message(to=to, contact=1)

    [link] = touches(to_group, **MEMBER)
    accepted = touches(stored_message(to=GROUP), accepted=True, recipient_id=GROUP)

    assert link.names == (USER, PHONE)
    assert accepted == [Touch(NUMBER, (GROUP,), GROUP, outbound_at=NOON)]


def test_a_status_that_comes_in_the_place_of_an_answer_touches_the_conversation() -> None:
    waiting = stored_message(to=f"+{PHONE}", contact=contact_number(USER))

    assert touches(waiting, accepted=True, **BOTH) == [Touch(NUMBER, (USER, PHONE), PHONE, USER, outbound_at=NOON)]


def test_an_event_about_a_message_of_ours_tells_its_id() -> None:
    tracker = f"wats1.{'0' * 16}.{'ab' * 16}.2"
    statuses = [{**status("wamid.A"), FIELD: tracker}, {**status("wamid.B"), FIELD: "another's"}]
    events = [one.event for one in webhook(statuses=statuses)]
    change = MessageChange("evt_1", MessageStatus.FAILED, NOON, "1", {"messageId": "msg_1"})

    told = [message_in(event) for event in [*events, event_of_change(change)]]

    assert told == [f"msg_{'ab' * 16}", None, "msg_1"]
