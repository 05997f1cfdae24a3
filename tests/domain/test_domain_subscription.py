from dataclasses import replace
from typing import Any

import pytest

from app.domain.event import Contact, NewEvent
from app.domain.subscription import order_key, wants
from tests.support.events import new_event


def an_event(**changes: Any) -> NewEvent:
    return replace(new_event(), **changes)


@pytest.mark.parametrize(
    ("types", "is_wanted"),
    [
        (["*"], True),
        (["message.*"], True),
        (["call.*", "message.text"], True),
        (["message"], False),
        (["message.t"], False),
        (["echo.*"], False),
        ([], False),
    ],
)
def test_a_destination_gets_the_types_that_its_globs_match(types: list[str], is_wanted: bool) -> None:
    assert wants(types, [], an_event(type="message.text")) is is_wanted


def test_a_destination_gets_the_events_of_its_numbers_and_of_the_account() -> None:
    assert wants(["*"], [], an_event(phone_number_id="1"))
    assert wants(["*"], ["1", "2"], an_event(phone_number_id="2"))
    assert wants(["*"], ["1"], an_event(phone_number_id=None))
    assert not wants(["*"], ["1"], an_event(phone_number_id="2"))


def test_events_of_one_conversation_share_an_order_key() -> None:
    ada = an_event(phone_number_id="1", contact=Contact(user_id="DE.1", wa_id="49151"))
    still_ada = an_event(phone_number_id="1", contact=Contact(user_id="DE.1"))

    assert order_key(ada) == order_key(still_ada)
    assert 0 <= (order_key(ada) or 0) < 2**63


def test_other_conversations_have_other_order_keys() -> None:
    keys = {
        order_key(an_event(phone_number_id=number, contact=contact))
        for number in ("1", "2", None)
        for contact in (Contact(user_id="DE.1"), Contact(wa_id="49151"), Contact(wa_id="49152"))
    }

    assert len(keys) == 9


def test_an_event_without_a_contact_has_no_order_key() -> None:
    assert order_key(an_event(contact=Contact(username="@ada"))) is None
