"""An erasure finds an event by every name that the event gives to its customer."""

from typing import Any

import pytest

from app.domain.meta.names import names_of
from tests.support.envelopes import PHONE, USER_ID, change, contact, envelope, events_of, inbound_text, status

OTHER_SPELLING, BUSINESS = "553188880001", "15550001111"


def names_in(*changes: Any) -> list[set[str]]:
    return [names_of(event) for event in events_of(envelope(*changes))]


def test_the_spelling_of_the_item_and_that_of_its_contact_are_names() -> None:
    message, delivered = inbound_text(sender="5531988880001"), status(recipient_id="5531988880001")

    names = names_in(
        change(contacts=[contact(OTHER_SPELLING)], messages=[message]),
        change(contacts=[contact(OTHER_SPELLING)], statuses=[delivered]),
    )

    assert names == [{"5531988880001", OTHER_SPELLING}] * 2


def test_user_ids_are_names_and_labels_are_not() -> None:
    entry = {**contact(PHONE, USER_ID, username="ada"), "parent_user_id": "DE.ENT.1"}

    [names] = names_in(change(contacts=[entry], messages=[inbound_text()]))

    assert names == {PHONE, USER_ID, "DE.ENT.1"}


def test_a_customer_that_changed_has_the_names_of_before_and_after() -> None:
    system = {"type": "user_changed_number", "wa_id": "4915187654321", "user_id": "DE.2"}
    update = {"wa_id": PHONE, "user_id": {"previous": "DE.1", "current": "DE.2"}}

    names = names_in(
        change(messages=[inbound_text(type="system", system=system, from_user_id="DE.1")]),
        change("user_id_update", user_id_update=[update]),
    )

    assert names == [{PHONE, "DE.1", "4915187654321", "DE.2"}, {PHONE, "DE.1", "DE.2"}]


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({"from": "5531988880001"}, {OTHER_SPELLING, "5531988880001", USER_ID}),
        ({"from": BUSINESS, "to": "5531988880001"}, {OTHER_SPELLING, "5531988880001", USER_ID}),
        ({"from": BUSINESS}, {OTHER_SPELLING, USER_ID}),
        ("odd", {OTHER_SPELLING, USER_ID}),
    ],
)
def test_a_thread_and_its_messages_name_the_customer_and_not_the_business(message: Any, names: set[str]) -> None:
    thread = {"id": OTHER_SPELLING, "context": {"user_id": USER_ID}, "messages": [message]}

    assert names_in(change("history", history=[{"threads": [thread]}])) == [names]


def test_a_thread_without_a_context_has_the_names_of_its_id_and_its_message() -> None:
    thread = {"id": OTHER_SPELLING, "context": "odd", "messages": [{"from": "5531988880001"}]}

    assert names_in(change("history", history=[{"threads": [thread]}])) == [{OTHER_SPELLING, "5531988880001"}]


def test_an_event_about_no_customer_has_no_names() -> None:
    assert names_in(change("account_update", event="VERIFIED_ACCOUNT")) == [set()]
