"""The same update has the same id however it comes; two updates have different ids, however similar they are."""

import hashlib
import re
from typing import Any

import pytest

from app.domain.meta.context import canonical
from tests.support.envelopes import (
    METADATA,
    NUMBER,
    PHONE,
    batch,
    change,
    contact,
    envelope,
    events_of,
    inbound_text,
    status,
)


def ids_of(*changes: Any, **around: Any) -> list[str]:
    return [event.id for event in events_of(envelope(*changes, **around))]


def test_a_batch_of_a_thousand_has_a_thousand_ids() -> None:
    events = events_of(batch(1000))

    assert len(events) == len({event.id for event in events}) == 1000
    assert all(re.fullmatch(r"evt_[0-9a-f]{32}", event.id) for event in events)


def test_a_message_has_the_same_id_in_any_batch() -> None:
    alone = ids_of(change(messages=[inbound_text()]))
    in_batch = ids_of(change(contacts=[contact()], messages=[inbound_text(wamid="wamid.0"), inbound_text()]), time=1)

    assert alone == in_batch[1:]
    assert ids_of(change(messages=[inbound_text(), inbound_text()])) == alone * 2


def test_a_message_has_another_id_in_another_field_number_or_type() -> None:
    message = inbound_text()
    other_number = change(messages=[message], metadata={**METADATA, "phone_number_id": "2"})

    ids = ids_of(
        change(messages=[message]),
        other_number,
        change("smb_message_echoes", message_echoes=[message]),
        change("history", history=[{"threads": [{"messages": [message]}]}]),
        change(messages=[inbound_text(type="edit")]),
        change(messages=[message | {"id": 1}]),
    )

    assert len(set(ids)) == 6


@pytest.mark.parametrize(
    "other",
    [
        {"status": "read"},
        {"id": "wamid.2"},
        {"recipient_id": "49160"},
        {"recipient_user_id": "DE.1"},
        {"recipient_type": "group"},
        {"recipient_type": "group", "recipient_participant_id": "49160"},
        {"participant_user_id": "DE.1"},
    ],
)
def test_each_status_of_each_recipient_has_its_own_id(other: dict[str, Any]) -> None:
    assert len(set(ids_of(change(statuses=[status(), status() | other])))) == 2


def test_a_status_sent_again_with_more_fields_has_the_same_id() -> None:
    assert len(set(ids_of(change(statuses=[status(), status(pricing={}, timestamp="1764000009")])))) == 1


@pytest.mark.parametrize("state", ["sent", "delivered", "read", "played", "failed"])
def test_a_status_of_a_message_has_the_id_that_it_always_had(state: str) -> None:
    [found] = ids_of(change(statuses=[status(state, pricing={}, type="message")]))

    key = ["status", "messages", NUMBER, "wamid.1", state, {"recipient_id": PHONE}]
    assert found == "evt_" + hashlib.sha256(canonical(key).encode()).hexdigest()[:32]


def payment(at: int, **transaction: Any) -> dict[str, Any]:
    """Build a status of a payment under the id of the message that asked for it."""
    details = {"reference_id": "ref-1", "transaction": {"id": "order_1", **transaction}}
    return status("captured", timestamp=str(at), type="payment", payment=details)


def test_each_transaction_and_each_refund_of_a_payment_is_an_event() -> None:
    refunds = [{"id": "rfnd_1"}, {"id": "rfnd_2"}]
    captured, at_once = payment(1764000010), payment(1764000010, id="order_2")
    refunded = [payment(1764000020 + count, refunds=refunds[:count]) for count in (1, 2)]

    ids = ids_of(change(statuses=[status("captured"), captured, at_once, *refunded]))

    assert len(set(ids)) == 5
    assert ids_of(change(statuses=[captured]), time=1764000099) == ids[1:2]


@pytest.mark.parametrize(
    "item", [status("failed", type="payment"), status("warning"), status("RINGING", type="call"), status("deleted")]
)
def test_a_status_that_is_not_of_a_messages_progress_may_come_again(item: dict[str, Any]) -> None:
    ids = ids_of(change(statuses=[item, {**item, "timestamp": "1764000009"}, item]))

    assert len(set(ids)) == 2
    assert ids[0] == ids[2]


def test_a_status_of_a_payment_and_of_its_message_are_two_events_of_the_same_word() -> None:
    failed = status("failed")

    assert len(set(ids_of(change(statuses=[failed, {**failed, "type": "payment"}])))) == 2


def test_a_status_of_a_group_without_a_member_has_an_id_for_each_time() -> None:
    of_group = status(recipient_type="group")
    later = {**of_group, "timestamp": "1764000009"}
    of_member = {"recipient_participant_id": "49160"}

    assert len(set(ids_of(change(statuses=[of_group, of_group, later])))) == 2
    assert len(set(ids_of(change(statuses=[of_group | of_member, later | of_member])))) == 1


def test_a_call_connects_and_terminates_once_while_other_events_may_repeat() -> None:
    def call(event: str, at: str) -> dict[str, Any]:
        return {"id": "wacid.1", "event": event, "timestamp": at}

    calls = [call(event, at) for event in ("connect", "terminate", "dtmf") for at in ("1764000000", "1764000001")]

    assert len(set(ids_of(change("calls", calls=calls)))) == 4


def test_an_item_with_a_time_has_the_same_id_in_any_entry() -> None:
    preference = change("user_preferences", user_preferences=[{"wa_id": "1", "timestamp": 1764000000}])

    assert ids_of(preference, time=1700000001) == ids_of(preference, time=1700000002) == ids_of(preference)


def test_equal_items_of_other_numbers_customers_accounts_or_fields_have_other_ids() -> None:
    item = [{"value": "stop", "timestamp": 1764000000}]
    mine = change("user_preferences", user_preferences=item)
    other_number = {**METADATA, "phone_number_id": "2"}

    ids = {
        *ids_of(mine),
        *ids_of(mine, waba_id="2"),
        *ids_of(change("user_preferences", user_preferences=item, metadata=other_number)),
        *ids_of(change("user_preferences", user_preferences=item, contacts=[contact()])),
        *ids_of(change("user_preferences", user_preferences=item, contacts=[contact("2")])),
        *ids_of(change("messages", user_preferences=item)),
        *ids_of(change("user_preferences", others=item)),
    }

    assert len(ids) == 7


def test_what_a_contact_adds_does_not_change_an_id() -> None:
    mine = {"wa_id": "525512345678", "value": "stop", "timestamp": 1764000000}
    changes = [
        change("user_preferences", user_preferences=[mine]),
        change("user_preferences", user_preferences=[mine], contacts=[contact("5215512345678", "MX.1")]),
        change("user_preferences", user_preferences=[mine, mine], contacts=[contact("5215512345678", "MX.1")]),
    ]

    assert len(set(ids_of(*changes))) == 1


def test_an_item_without_a_time_has_an_id_for_each_time_of_its_entry() -> None:
    error = change(errors=[{"code": 130429}])

    assert ids_of(error, time=1764000000) == ids_of(change(), error, time="1764000000")[1:]
    assert ids_of(error, time=1764000000) != ids_of(error, time=1764000001)


def test_equal_items_without_any_time_differ_by_their_position() -> None:
    error = change(errors=[{"code": 130429}, {"code": 130429}])

    ids = ids_of(error, error)

    assert len(set(ids)) == 4
    assert ids_of(error, error) == ids
    assert not set(ids) & set(ids_of(error))


def test_errors_of_two_chunks_of_history_have_two_ids() -> None:
    chunks = [{"metadata": {"phase": phase}, "errors": [{"code": 1}]} for phase in (0, 1)]

    assert len(set(ids_of(change("history", history=chunks), time=1764000000))) == 2


@pytest.mark.parametrize("odd", [None, "", {}, [], True, 1.5])
def test_a_message_or_status_without_an_id_is_identified_by_its_content(odd: Any) -> None:
    items = change(messages=[inbound_text(wamid=odd), inbound_text("ho", wamid=odd)], statuses=[status(wamid=odd)])

    assert len(set(ids_of(items))) == 3
    assert ids_of(items) == ids_of(items, time=5)


def test_a_message_outside_of_a_list_has_another_id_than_the_listed_one() -> None:
    assert ids_of(change(messages=inbound_text())) != ids_of(change(messages=[inbound_text()]))
