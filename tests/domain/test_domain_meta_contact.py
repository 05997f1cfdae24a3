"""An event is about the customer that its item names; Meta's contacts beside the item complete it."""

from typing import Any

import pytest

from app.domain.event import Contact
from app.domain.meta.envelope import meta_envelope
from tests.support.envelopes import PHONE, USER_ID, change, contact, envelope, events_of, inbound_text, status


def contacts_of(**lists: Any) -> list[Contact]:
    return [event.contact for event in events_of(envelope(change(**lists)))]


def test_each_message_of_a_batch_has_its_own_contact() -> None:
    ada, bo = contact(user_id="DE.1", username="ada"), contact("49160", name="Bo")
    messages = [inbound_text(sender="49160"), inbound_text(from_user_id="DE.1"), inbound_text(sender="49170")]

    events = events_of(envelope(change(contacts=[ada, bo], messages=messages)))

    assert [event.contact for event in events] == [
        Contact("49160", profile_name="Bo"),
        Contact(PHONE, "DE.1", username="ada", profile_name="Ada"),
        Contact("49170"),
    ]
    assert [event.origin.contacts for event in events] == [[bo], [ada], []]
    assert [meta_envelope(event)["entry"][0]["changes"][0]["value"].get("contacts") for event in events] == [
        [bo],
        [ada],
        None,
    ]


def test_the_user_id_matches_before_the_phone() -> None:
    by_phone, by_id = contact(name="Old"), contact("49160", user_id="DE.1", name="New")

    [customer] = contacts_of(contacts=[by_phone, by_id], messages=[inbound_text(from_user_id="DE.1")])

    assert customer == Contact(PHONE, "DE.1", profile_name="New")


def test_of_two_contacts_with_the_same_number_the_first_is_used() -> None:
    [customer] = contacts_of(contacts=[contact(name="First"), contact(name="Second")], messages=[inbound_text()])

    assert customer.profile_name == "First"


def test_a_customer_without_a_phone_is_identified_by_the_user_id() -> None:
    message = {"from_user_id": USER_ID, "from_parent_user_id": "DE.ENT.1", "id": "wamid.1", "type": "text"}

    [customer] = contacts_of(contacts=[contact(None, USER_ID)], messages=[message])

    assert customer == Contact(None, USER_ID, "DE.ENT.1", profile_name="Ada")


def test_the_only_contact_belongs_to_items_that_name_no_customer() -> None:
    nameless = {"id": "wamid.1", "type": "text"}

    assert {
        customer.profile_name for customer in contacts_of(contacts=[contact()], messages=[nameless, nameless])
    } == {"Ada"}
    assert contacts_of(contacts=[contact(), contact("49160")], messages=[nameless]) == [Contact()]


def test_the_only_contact_belongs_to_the_only_item_even_if_their_numbers_differ() -> None:
    [alone] = contacts_of(contacts=[contact("5215512345678")], messages=[inbound_text(sender="525512345678")])

    assert alone == Contact("525512345678", profile_name="Ada")


CUSTOMER, OTHER_SPELLING = "5531988880001", "553188880001"


def test_the_contact_that_is_left_belongs_to_all_items_of_the_customer_that_is_left() -> None:
    messages = [inbound_text(sender=CUSTOMER), inbound_text(sender="49160"), inbound_text(sender=CUSTOMER)]

    customers = contacts_of(contacts=[contact("49160", name="Bo"), contact(OTHER_SPELLING)], messages=messages)

    assert [customer.profile_name for customer in customers] == ["Ada", "Bo", "Ada"]


def test_a_customer_with_and_without_a_user_id_is_one_customer() -> None:
    messages = [inbound_text(sender=CUSTOMER), inbound_text(sender=CUSTOMER, from_user_id="BR.1")]

    customers = contacts_of(contacts=[contact(OTHER_SPELLING)], messages=messages)

    assert [customer.profile_name for customer in customers] == ["Ada", "Ada"]


@pytest.mark.parametrize("contacts", [[contact(OTHER_SPELLING)], [contact(OTHER_SPELLING), contact("49170")]])
def test_a_contact_belongs_to_no_item_where_customers_or_contacts_could_be_confused(contacts: list[Any]) -> None:
    messages = [inbound_text(sender=CUSTOMER), inbound_text(sender="49160")][: 3 - len(contacts)]

    customers = contacts_of(contacts=contacts, messages=messages)

    assert [customer.profile_name for customer in customers] == [None] * len(messages)


BSUID, PARENT = "DE.13491208655302741918", "DE.ENT.11815799212886844830"


@pytest.mark.parametrize(
    ("field", "lists"),
    [
        ("messages", {"messages": [inbound_text(sender=BSUID)]}),
        ("messages", {"statuses": [status(recipient_id=BSUID)]}),
        ("smb_message_echoes", {"message_echoes": [inbound_text(sender="1555", to=BSUID)]}),
        ("user_preferences", {"user_preferences": [{"wa_id": BSUID, "value": "stop"}]}),
        ("calls", {"calls": [{"id": "wacid.1", "event": "connect", "from": BSUID}]}),
        ("history", {"history": [{"threads": [{"id": BSUID, "messages": [{"type": "text"}]}]}]}),
        ("smb_app_state_sync", {"state_sync": [{"type": "contact", "contact": {"phone_number": BSUID}}]}),
        ("consumer_profile", {"contacts": [contact(BSUID)]}),
    ],
)
def test_a_user_id_in_the_place_of_the_phone_is_a_user_id(field: str, lists: dict[str, Any]) -> None:
    [event] = events_of(envelope(change(field, **lists)))

    assert (event.contact.wa_id, event.contact.user_id) == (None, BSUID)


def test_a_parent_user_id_in_the_place_of_the_phone_is_a_parent_user_id() -> None:
    assert contacts_of(messages=[inbound_text(sender=PARENT)]) == [Contact(parent_user_id=PARENT)]


def test_a_contact_matches_by_a_user_id_in_the_place_of_the_phone() -> None:
    messages = [inbound_text(sender=BSUID), inbound_text(sender="49160")]

    customers = contacts_of(contacts=[contact("49160", name="Bo"), contact(BSUID)], messages=messages)

    assert customers == [Contact(user_id=BSUID, profile_name="Ada"), Contact("49160", profile_name="Bo")]


def test_a_changed_number_may_name_user_ids_in_the_place_of_phones() -> None:
    system = {"type": "user_changed_number", "wa_id": "DE.2"}

    [event] = events_of(envelope(change(messages=[inbound_text(sender="DE.1", type="system", system=system)])))

    assert (event.data["previous"], event.data["current"]) == ({"userId": "DE.1"}, {"userId": "DE.2"})


def test_the_only_contact_of_a_history_completes_only_its_own_thread() -> None:
    threads = [{"id": number, "messages": [inbound_text(sender=number)]} for number in (PHONE, "49160")]

    events = events_of(envelope(change("history", contacts=[contact()], history=[{"threads": threads}])))

    assert [event.contact.profile_name for event in events] == ["Ada", None]


@pytest.mark.parametrize("parent", ["recipient_parent_user_id", "parent_recipient_user_id"])
def test_a_status_is_about_its_recipient(parent: str) -> None:
    item = status(recipient_id=f"+{PHONE}", recipient_user_id=USER_ID, **{parent: "DE.ENT.1"})

    assert contacts_of(statuses=[item]) == [Contact(PHONE, USER_ID, "DE.ENT.1")]


def test_a_status_of_a_group_is_about_its_member() -> None:
    of_group = status(recipient_id="group", recipient_type="group")
    of_member = {**of_group, "recipient_participant_id": PHONE, "recipient_participant_user_id": USER_ID}

    assert contacts_of(statuses=[of_group, of_member]) == [Contact(), Contact(PHONE, USER_ID)]


def test_a_preference_is_about_its_customer() -> None:
    item = {"wa_id": PHONE, "user_id": USER_ID, "parent_user_id": "DE.ENT.1", "value": "stop"}

    [event] = events_of(envelope(change("user_preferences", user_preferences=[item])))

    assert event.contact == Contact(PHONE, USER_ID, "DE.ENT.1")


def test_an_entry_of_the_address_book_is_about_its_customer() -> None:
    book = {"phone_number": f"+{PHONE}", "user_id": USER_ID, "username": "ada"}

    [event] = events_of(envelope(change("smb_app_state_sync", state_sync=[{"type": "contact", "contact": book}])))

    assert event.contact == Contact(PHONE, USER_ID, username="ada")
