"""Every known kind of update becomes an event with its type and its data."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.event import Contact
from app.domain.meta.envelope import meta_envelope
from app.web.examples import CHANGES, envelope_of
from tests.support.envelopes import PHONE, USER_ID, change, contact, envelope, events_of, inbound_text, status


def only(*changes: Any, **around: Any) -> Any:
    [event] = events_of(envelope(*changes, **around))
    return event


@pytest.mark.parametrize("type_", CHANGES)
def test_each_example_is_one_event_of_its_type(type_: str) -> None:
    [event] = events_of(envelope_of(CHANGES[type_]))

    assert event.type == type_
    assert event.waba_id == "1234567890"
    assert int(event.occurred_at.timestamp()) == 1764000000


@pytest.mark.parametrize("type_", CHANGES)
def test_the_envelope_of_an_event_splits_into_the_same_event(type_: str) -> None:
    [event] = events_of(envelope_of(CHANGES[type_]))

    assert meta_envelope(event) == envelope_of(CHANGES[type_])
    assert events_of(meta_envelope(event)) == [event]


def objects_in(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from objects_in(inner)


@pytest.mark.parametrize("type_", CHANGES)
def test_an_example_has_the_user_id_beside_each_phone_of_the_customer(type_: str) -> None:
    with_phone = [found for found in objects_in(CHANGES[type_]) if any(value == PHONE for value in found.values())]

    assert [found for found in with_phone if not re.search(r"DE\.[0-9]{20}", json.dumps(found))] == []


def test_the_lists_of_a_batch_are_split_in_order() -> None:
    lists = {
        "messages": [inbound_text(), inbound_text(wamid="wamid.2")],
        "statuses": [status()],
        "errors": [{"code": 1}],
    }

    events = events_of(envelope(change(**lists), change(statuses=[status("read")])))

    types = ["message.text", "message.text", "message.status.delivered", "error", "message.status.read"]
    assert [event.type for event in events] == types


def test_a_message_has_its_context_referral_identity_group_and_errors() -> None:
    extras = {
        "context": {"id": "wamid.0", "frequently_forwarded": True, "forwarded": True},
        "referral": {"source_id": "1", "ctwa_clid": "Aff"},
        "identity": {"hash": "abc"},
        "errors": [{"code": 131051}],
    }

    data = only(change(messages=[inbound_text(group_id="group", **extras)])).data

    assert data == {
        "id": "wamid.1",
        "type": "text",
        "text": {"body": "hi"},
        "groupId": "group",
        "forwarded": True,
        "frequentlyForwarded": True,
        **extras,
    }


@pytest.mark.parametrize("reaction", [{"message_id": "wamid.0"}, {"message_id": "wamid.0", "emoji": ""}])
def test_a_reaction_that_was_taken_back_is_marked_removed(reaction: dict[str, Any]) -> None:
    data = only(change(messages=[inbound_text(type="reaction", reaction=reaction)])).data

    assert data["removed"] is True


def test_a_status_has_the_tracker_of_the_user() -> None:
    data = only(change(statuses=[status(biz_opaque_callback_data="order 17", pricing={"billable": True})])).data

    assert data == {
        "id": "wamid.1",
        "status": "delivered",
        "recipientId": PHONE,
        "tracker": "order 17",
        "pricing": {"billable": True},
    }


def test_a_status_of_a_call_is_recognised_in_any_field() -> None:
    assert only(change(statuses=[status("RINGING", type="call")])).type == "call.status.ringing"


PAYMENT = {"reference_id": "ref-1", "transaction": {"id": "order_1", "status": "failed"}}


@pytest.mark.parametrize("state", ["pending", "captured", "canceled", "failed"])
def test_a_status_of_a_payment_is_of_the_payment_and_not_of_its_message(state: str) -> None:
    event = only(change(statuses=[status(state, type="payment", payment=PAYMENT)]))

    assert event.type == f"payment.{state}"
    assert event.data == {"id": "wamid.1", "status": state, "recipientId": PHONE, "payment": PAYMENT}


@pytest.mark.parametrize("type_", [None, "message"])
def test_a_status_without_a_type_or_of_type_message_is_of_a_message(type_: str | None) -> None:
    more = {} if type_ is None else {"type": type_}

    assert only(change(statuses=[status("failed", **more)])).type == "message.status.failed"


def test_a_status_of_something_else_is_not_of_a_message() -> None:
    assert only(change(statuses=[status("failed", type="parcel")])).type == "unknown.messages"


def test_a_changed_number_has_the_previous_and_the_current_number() -> None:
    system = {"type": "user_changed_number", "wa_id": "4915187654321"}

    event = only(change(messages=[inbound_text(type="system", system=system)]))

    assert event.contact == Contact(wa_id=PHONE)
    assert (event.data["previous"], event.data["current"]) == ({"waId": PHONE}, {"waId": "4915187654321"})


def test_a_changed_user_id_has_the_same_data_in_both_forms() -> None:
    system = {"type": "user_changed_user_id", "user_id": "DE.2", "previous_user_id": "DE.1"}
    message = {"id": "wamid.1", "timestamp": "1764000000", "type": "system", "system": system}
    update = {"user_id": {"previous": "DE.1", "current": "DE.2"}}

    as_message = only(change(messages=[message]))
    as_update = only(change("user_id_update", user_id_update=[update]))

    for event in (as_message, as_update):
        assert event.type == "contact.user_id_changed"
        assert event.contact == Contact(user_id="DE.2")
        assert (event.data["previous"], event.data["current"]) == ({"userId": "DE.1"}, {"userId": "DE.2"})


def test_a_user_id_update_without_ids_keeps_its_type() -> None:
    event = only(change("user_id_update", user_id_update=[{"wa_id": PHONE, "user_id": "DE.2"}]))

    assert event.type == "contact.user_id_changed"
    assert event.contact == Contact(wa_id=PHONE, user_id="DE.2")
    assert (event.data["previous"], event.data["current"]) == ({}, {})


def test_each_message_of_each_thread_of_the_history_is_an_event() -> None:
    threads = [
        {"id": PHONE, "messages": [inbound_text(), inbound_text(wamid="wamid.2", sender="15550001111")]},
        {
            "id": "49160",
            "context": {"user_id": "DE.9", "username": "bo"},
            "messages": [inbound_text(wamid="wamid.3")],
        },
    ]
    piece = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 5}, "threads": threads, "errors": [{"code": 1}]}

    events = events_of(envelope(change("history", history=[piece, {"metadata": {"progress": 100}}])))

    assert [event.type for event in events] == ["history.message"] * 3 + ["history.error", "history.status"]
    assert [event.contact.wa_id for event in events] == [PHONE, PHONE, "49160", None, None]
    assert (events[2].contact.user_id, events[2].contact.username) == ("DE.9", "bo")
    assert [event.data.get("progress") for event in events] == [5, 5, 5, 5, 100]
    assert [event.data.get("threadId") for event in events] == [PHONE, PHONE, "49160", None, None]
    assert all(events_of(meta_envelope(event))[0].data == event.data for event in events)


def test_a_picture_of_the_history_and_its_placeholder_are_two_events() -> None:
    ours = inbound_text(type="image", image={"id": "1"}, sender="15550001111", to=PHONE)
    theirs = inbound_text(type="image", image={"id": "2"}, wamid="wamid.2")
    thread = {"id": PHONE, "messages": [inbound_text(type="media_placeholder")]}

    events = events_of(
        envelope(change("history", history=[{"threads": [thread]}]), change("history", messages=[ours, theirs]))
    )

    assert [event.type for event in events] == ["history.message"] * 3
    assert [event.contact.wa_id for event in events] == [PHONE] * 3
    assert len({event.id for event in events}) == 3


@pytest.mark.parametrize("field", ["message_echoes", "smb_message_echoes"])
@pytest.mark.parametrize("key", ["messages", "message_echoes"])
def test_an_echo_is_about_its_recipient(field: str, key: str) -> None:
    event = only(change(field, **{key: [inbound_text(sender="15550001111", to=PHONE, to_user_id=USER_ID)]}))

    assert event.type == "echo.text"
    assert event.contact == Contact(wa_id=PHONE, user_id=USER_ID)


@pytest.mark.parametrize(
    "call",
    [
        {"from": PHONE, "to": "15550001111", "direction": "USER_INITIATED"},
        {"from": "15550001111", "to": PHONE, "direction": "BUSINESS_INITIATED"},
        {"from": PHONE, "to": "15550001111"},
        {"from": "15550001111", "to": PHONE},
    ],
)
def test_a_call_is_about_the_customers_side(call: dict[str, Any]) -> None:
    event = only(change("calls", calls=[{"id": "wacid.1", "event": "connect", **call}]))

    assert event.contact.wa_id == PHONE


def test_a_call_without_metadata_is_about_the_caller() -> None:
    value = {"calls": [{"id": "wacid.1", "event": "connect", "from": PHONE}]}

    assert only({"field": "calls", "value": value}).contact.wa_id == PHONE


def test_an_unknown_field_gives_one_event_per_item_or_one_for_its_value() -> None:
    with_items = change("Bright-New!", messages=[inbound_text(), inbound_text(wamid="wamid.2")])
    without = {"field": "bright_new", "value": {"event": "X"}}

    events = events_of(envelope(with_items, without))

    assert [event.type for event in events] == ["unknown.bright_new_", "unknown.bright_new_", "unknown.bright_new"]
    assert [event.contact.wa_id for event in events] == [PHONE, PHONE, None]
    assert [event.data for event in events] == [{}, {}, {}]


def test_the_rest_of_an_unknown_field_is_an_event_too() -> None:
    value = change("new", messages=[inbound_text()], errors=[{"code": 1}], statuses="odd", more=[1])

    beside, item = events_of(envelope(value))

    assert item.raw == inbound_text()
    assert beside.raw.items() >= {"errors": [{"code": 1}], "statuses": "odd", "more": [1]}.items()
    assert beside.phone_number_id == "9876543210"
    assert events_of(meta_envelope(beside))[0].raw == beside.raw


def test_a_field_whose_value_is_the_item_may_hold_a_list_of_them() -> None:
    events = events_of(envelope(change("business_username_updates", business_username_updates=[{"a": 1}, {"a": 2}])))

    assert [(event.type, event.raw) for event in events] == [
        ("business.username", {"a": 1}),
        ("business.username", {"a": 2}),
    ]


def test_the_value_of_a_template_stays_whole() -> None:
    value = {"event": "APPROVED", "errors": [1], "message_template_buttons": [{"a": 1}, {"a": 2}]}

    assert only({"field": "message_template_components_update", "value": value}).raw == value


def test_a_list_of_history_in_another_field_is_unknown() -> None:
    event = only(change(history=[{"threads": [{"messages": [inbound_text()]}]}]))

    assert event.type == "unknown.messages"
    assert event.raw == inbound_text()


def test_a_handover_belongs_to_the_number_of_its_recipient() -> None:
    value = {"recipient": {"phone_number_id": 17}, "sender": {"phone_number": f"+{PHONE}"}}

    event = only({"field": "messaging_handovers", "value": value})

    assert event.phone_number_id == "17"
    assert event.contact == Contact(wa_id=PHONE)


def test_a_whole_value_has_the_contact_beside_it() -> None:
    event = only(change("consumer_profile", contacts=[contact(user_id=USER_ID)], a=1))

    assert event.contact == Contact(PHONE, USER_ID, profile_name="Ada")


def test_every_event_can_be_encoded_as_json() -> None:
    for example in CHANGES.values():
        [event] = events_of(envelope_of(example))
        json.dumps([event.data, event.raw, vars(event.origin)], allow_nan=False).encode("ascii")
