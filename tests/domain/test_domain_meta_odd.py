"""An unexpected shape becomes an event: it raises nothing, loses nothing, and leaves the rest of the batch alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.event import Contact
from app.domain.meta.body import MAX_DEPTH
from app.domain.meta.envelope import meta_envelope
from app.domain.meta.parse import Unreadable, plain_forms
from tests.support.envelopes import (
    METADATA,
    NUMBER,
    PHONE,
    RECEIVED_AT,
    SENT,
    WABA,
    change,
    contact,
    envelope,
    events_of,
    in_bytes,
    inbound_text,
    status,
)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff{}", "not UTF-8"),
        (b"null", "not a JSON object"),
        (b'[{"entry":[]}]', "not a JSON object"),
        (b'{"entry":[{"id":' + b"9" * 5000 + b"}]}", "an integer with too many digits"),
        (nested(MAX_DEPTH + 1), "nested too deeply"),
        (nested(100_000), "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_bytes_that_are_not_a_json_object_are_unreadable(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        events_of(body)


def test_a_word_that_grows_when_it_is_made_lowercase_is_cut_then() -> None:
    grows, field = "\u0130" * 64, {"field": "\u0130" * 64, "value": {"a": 1}}

    types = [event.type for event in events_of(envelope(change(messages=[inbound_text(type=grows)]), field))]

    assert types == ["message." + "i_" * 32, "unknown." + "i_" * 32]


def test_the_plain_forms_of_an_event_keep_its_item_and_less_and_less_of_what_was_read() -> None:
    [event] = events_of(envelope(change(contacts=[contact()], messages=[inbound_text()])))

    first, second = plain_forms(event, RECEIVED_AT)

    assert first == replace(event, type="unknown.messages", data={})
    nothing = {"waba_id": None, "phone_number_id": None, "contact": Contact(), "occurred_at": RECEIVED_AT}
    assert second == replace(first, **nothing)


def test_a_body_may_be_as_deep_as_the_maximum() -> None:
    assert [event.type for event in events_of(nested(MAX_DEPTH))] == ["unknown.envelope"]


def test_numbers_outside_of_json_become_strings_and_big_integers_stay_exact() -> None:
    numbers = b"[NaN,-Infinity,1e999,-1e999,12345678901234567890,1.5]"

    [event] = events_of(b'{"entry":[{"changes":[{"field":"new","value":{"a":' + numbers + b"}}]}]}")

    assert event.raw == {"a": ["NaN", "-Infinity", "1e999", "-1e999", 12345678901234567890, 1.5]}
    json.dumps(event.raw, allow_nan=False)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "\u20ac\U0001f44d"])
def test_text_that_fits_no_column_is_kept_in_the_item(text: str) -> None:
    [event] = events_of(envelope(change(text, messages=[inbound_text(text, wamid=text, sender=text)])))

    assert event.raw["text"] == {"body": text}
    assert event.contact.wa_id is None
    assert event.type.isascii()


@pytest.mark.parametrize("entries", [{}, {"entry": []}, {"entry": {}}, {"entry": None}, {"entry": "x"}])
def test_a_body_without_entries_is_one_event(entries: dict[str, Any]) -> None:
    body = {"object": "page", **entries}

    [event] = events_of(body)

    assert (event.type, event.raw, event.occurred_at) == ("unknown.envelope", body, RECEIVED_AT)
    assert meta_envelope(event) == body


ODD = [None, 1, "x", [], {}, [1], {"a": 1}, True]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_entry_is_one_event_beside_the_good_one(odd: Any) -> None:
    body = envelope(change(messages=[inbound_text()]))
    body["entry"].insert(0, odd)

    events = events_of(body)

    assert [event.type for event in events] == ["unknown.envelope", "message.text"]
    assert events[0].raw == odd
    assert meta_envelope(events[0]) == {"object": body["object"], "entry": [odd]}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_change_is_one_event_beside_the_good_one(odd: Any) -> None:
    events = events_of(envelope(odd, change(messages=[inbound_text()])))

    assert [event.type for event in events] == ["unknown.envelope", "message.text"]
    assert events[0].raw == odd
    assert events_of(meta_envelope(events[0]))[0].raw == odd


def test_a_change_without_a_value_is_an_unknown_event_of_its_field() -> None:
    [event] = events_of(envelope({"field": "account_update"}))

    assert (event.type, event.raw) == ("unknown.account_update", {"field": "account_update"})


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_value_is_one_event_of_its_field(odd: Any) -> None:
    [event] = events_of(envelope({"field": "messages", "value": odd}))

    assert (event.type, event.raw) == ("unknown.messages", odd)


@pytest.mark.parametrize("odd", [None, 1, {}, [], ""])
def test_items_of_a_field_without_a_name_are_events(odd: Any) -> None:
    events = events_of(envelope(change(odd, messages=[inbound_text(), inbound_text(wamid="wamid.2")])))

    assert [event.type for event in events] == ["unknown.envelope"] * 2


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, True, [inbound_text()]])
def test_an_odd_item_is_one_event_beside_the_good_ones(odd: Any) -> None:
    events = events_of(envelope(change(messages=[inbound_text(), odd], statuses=[status()])))

    assert [event.type for event in events] == ["message.text", "unknown.messages", "message.status.delivered"]
    assert events[1].raw == odd
    assert events[1].phone_number_id == NUMBER


@pytest.mark.parametrize("odd", [1, "x", inbound_text(), {}, False])
def test_a_value_in_the_place_of_a_list_is_an_item(odd: Any) -> None:
    events = events_of(envelope(change(messages=odd, statuses=[status()]), time=SENT))

    assert [event.type for event in events] == ["unknown.messages", "message.status.delivered"]
    assert events[0].raw == odd
    assert events_of(meta_envelope(events[0])) == events[:1]


@pytest.mark.parametrize("empty", [None, []])
def test_an_empty_list_beside_others_gives_no_event(empty: Any) -> None:
    events = events_of(envelope(change(messages=empty, statuses=[status()])))

    assert [event.type for event in events] == ["message.status.delivered"]


@pytest.mark.parametrize("lists", [{}, {"messages": []}, {"contacts": [contact()]}, {"messages": None}])
def test_a_value_without_items_is_one_event(lists: dict[str, Any]) -> None:
    [event] = events_of(envelope(change(**lists)))

    assert event.type == "unknown.messages"
    assert event.raw == {"messaging_product": "whatsapp", "metadata": METADATA, **lists}
    assert event.phone_number_id == NUMBER


def test_each_item_of_an_unknown_list_is_an_event() -> None:
    events = events_of(envelope(change(messages=[inbound_text()], **{"a[].b": [{"x": 1}, 2]})))

    assert [event.type for event in events] == ["message.text", "unknown.messages", "unknown.messages"]
    assert [events_of(meta_envelope(event))[0].raw for event in events] == [inbound_text(), {"x": 1}, 2]


@pytest.mark.parametrize("item", [{}, {"type": ""}, {"type": 1}, {"type": None}, {"type": ["text"]}])
def test_a_message_without_a_type_is_unknown(item: dict[str, Any]) -> None:
    [event] = events_of(envelope(change(messages=[item])))

    assert (event.type, event.data) == ("unknown.messages", {})


@pytest.mark.parametrize(
    ("item", "type_"),
    [
        ({"type": "interactive"}, "message.interactive"),
        ({"type": "interactive", "interactive": "x"}, "message.interactive"),
        ({"type": "interactive", "interactive": {"type": 1}}, "message.interactive"),
        ({"type": "system"}, "message.system"),
        ({"type": "system", "system": {"type": "new"}}, "message.system"),
        ({"type": "Über.cool" * 30}, "message." + ("_ber_cool" * 30)[:64]),
        ({"type": "text", "context": "x", "reaction": 1, "text": 1}, "message.text"),
    ],
)
def test_a_message_with_odd_content_has_the_type_that_it_names(item: dict[str, Any], type_: str) -> None:
    [event] = events_of(envelope(change(messages=[item])))

    assert event.type == type_


@pytest.mark.parametrize("odd", [None, {}, "x", [1]])
def test_a_status_or_call_without_a_state_is_unknown(odd: Any) -> None:
    events = events_of(envelope(change(statuses=[status(odd)]), change("calls", calls=[{"id": "1", "event": odd}])))

    assert [event.type for event in events] == [
        "unknown.messages" if odd != "x" else "message.status.x",
        "unknown.calls" if odd != "x" else "call.x",
    ]


def test_odd_history_is_not_lost() -> None:
    whole = {"threads": [{"id": PHONE, "messages": [inbound_text()]}, {"id": "1", "messages": []}, "odd"]}

    events = events_of(envelope(change("history", history=[whole, "odd", {"threads": "odd"}, {"threads": []}])))

    assert [event.raw for event in events] == [
        inbound_text(),
        {"id": "1", "messages": []},
        "odd",
        "odd",
        {"threads": "odd"},
        {"threads": []},
    ]
    assert [event.type for event in events] == [
        "history.message",
        "unknown.history",
        "unknown.history",
        "unknown.history",
        "history.status",
        "history.status",
    ]


def test_odd_objects_around_messages_of_the_history_are_kept() -> None:
    thread = {"id": 5, "context": "odd", "messages": [{"type": "text"}]}

    [event] = events_of(envelope(change("history", history=[{"metadata": "odd", "threads": [thread]}])))

    assert event.contact.wa_id == "5"
    assert event.data == {"type": "text", "threadId": 5}


@pytest.mark.parametrize(
    ("field", "lists"),
    [
        ("smb_app_state_sync", {"state_sync": [{"type": "contact", "contact": "odd", "metadata": "odd"}]}),
        ("messaging_handovers", {"sender": "odd"}),
        ("calls", {"metadata": "odd", "calls": [{"event": "connect", "id": "1"}]}),
        ("messages", {"contacts": "odd", "messages": [inbound_text()]}),
        ("messages", {"contacts": [{"profile": "odd", "wa_id": PHONE}], "messages": [inbound_text()]}),
    ],
)
def test_an_odd_customer_does_not_stop_the_split(field: str, lists: dict[str, Any]) -> None:
    [event] = events_of(envelope(change(field, **lists)))

    assert not event.type.startswith("unknown")
    assert event.contact.profile_name is None


def test_odd_contacts_are_an_event_of_their_own() -> None:
    beside, item = events_of(envelope(change(contacts=["odd", contact()], messages=[inbound_text()])))

    assert (beside.type, beside.raw["contacts"]) == ("unknown.messages", ["odd"])
    assert item.contact.profile_name == "Ada"
    assert events_of(meta_envelope(beside))[0].raw == beside.raw


def test_an_oversized_context_goes_with_no_item_and_is_not_lost() -> None:
    large = "x" * 10_000
    body = envelope(change(more=large, contacts=[contact(name=large)], messages=[inbound_text(), inbound_text()]))
    body["entry"][0] |= {"time": SENT, "more": large}

    of_entry, of_value, *messages = events_of(body)

    assert of_entry.raw == {"id": WABA, "time": SENT, "more": large}
    assert of_value.raw["more"] == large
    assert of_value.raw["contacts"] == [contact(name=large)]
    assert [event.type for event in messages] == ["message.text"] * 2
    assert all(len(in_bytes(vars(event.origin))) < 1000 for event in messages)
    assert {event.phone_number_id for event in (of_value, *messages)} == {NUMBER}
    assert (of_entry.waba_id, of_entry.occurred_at) == (WABA, datetime.fromtimestamp(SENT, UTC))


def test_an_oversized_chunk_of_history_goes_with_no_message() -> None:
    chunk = {"more": "x" * 10_000, "threads": [{"id": PHONE, "messages": [inbound_text()]}]}

    beside, message = events_of(envelope(change("history", history=[chunk])))

    assert (beside.type, beside.raw) == ("history.status", {"more": "x" * 10_000})
    assert message.type == "history.message"


@pytest.mark.parametrize("waba_id", [17, "17"])
@pytest.mark.parametrize("number", [18, "18"])
def test_ids_may_be_numbers(waba_id: Any, number: Any) -> None:
    metadata = {"phone_number_id": number}

    [event] = events_of(envelope(change(metadata=metadata, messages=[inbound_text(sender=4915)]), waba_id=waba_id))

    assert (event.waba_id, event.phone_number_id, event.contact.wa_id) == ("17", "18", "4915")


@pytest.mark.parametrize("odd", [None, "", " ", "a b", "x" * 300, {}, [], True, 1.5, "é", "\n"])
def test_invalid_ids_stay_in_the_item_only(odd: Any) -> None:
    message = inbound_text(wamid=odd, sender=odd, from_user_id=odd)

    [event] = events_of(envelope(change(metadata={"phone_number_id": odd}, messages=[message]), waba_id=odd))

    assert (event.waba_id, event.phone_number_id) == (None, None)
    assert (event.contact.wa_id, event.contact.user_id) == (None, None)
    assert event.raw == message


@pytest.mark.parametrize("at", [1764000000, "1764000000"])
def test_an_event_has_the_time_of_its_item(at: Any) -> None:
    [event] = events_of(envelope(change(messages=[inbound_text(timestamp=at)]), time=1700000000))

    assert event.occurred_at.timestamp() == 1764000000


@pytest.mark.parametrize("at", [None, 0, -1, "", "soon", 17640000000000, 1.5, True, {}, "٣" * 10])
def test_without_a_time_in_the_item_the_entry_or_the_receipt_gives_it(at: Any) -> None:
    changed = change(messages=[inbound_text(timestamp=at)])

    assert events_of(envelope(changed, time=1700000000))[0].occurred_at.timestamp() == 1700000000
    assert events_of(envelope(changed, time=at))[0].occurred_at == RECEIVED_AT


@pytest.mark.parametrize("at", [1764000000123, "1764000000123"])
def test_a_time_in_milliseconds_is_read(at: Any) -> None:
    of_item, of_entry = (
        events_of(envelope(change(messages=[inbound_text(timestamp=at)]))),
        events_of(envelope(change(errors=[{"code": 1}]), time=at)),
    )

    at_that_time = datetime.fromtimestamp(SENT, UTC) + timedelta(milliseconds=123)
    assert [event.occurred_at for event in (*of_item, *of_entry)] == [at_that_time] * 2


@pytest.mark.parametrize("more", [{}, {"changes": []}, {"changes": None}, {"changed_fields": ["location"]}])
def test_an_entry_without_changes_has_its_account_its_time_and_one_id_in_any_batch(more: dict[str, Any]) -> None:
    entry = {"id": WABA, "time": SENT, **more}

    [alone] = events_of({"object": "user", "entry": [entry]})
    _, in_batch = events_of({"object": "user", "entry": [{"id": "0", "time": SENT}, entry]})

    assert (alone.waba_id, alone.occurred_at) == (WABA, datetime.fromtimestamp(SENT, UTC))
    assert alone.id == in_batch.id
    assert events_of(meta_envelope(alone)) == [alone]


@pytest.mark.parametrize("body", [{"entry": {"id": WABA, "time": SENT}}, {"id": WABA, "time": SENT}])
def test_a_body_without_a_list_of_entries_has_its_account_and_time_too(body: dict[str, Any]) -> None:
    [event] = events_of(body)

    assert (event.type, event.raw) == ("unknown.envelope", body)
    assert (event.waba_id, event.occurred_at) == (WABA, datetime.fromtimestamp(SENT, UTC))
    assert events_of(json.dumps(body, indent=1).encode())[0].id == event.id
