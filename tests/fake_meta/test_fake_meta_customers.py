"""Customers of the fake Meta: what they do comes as a webhook, and opens the window."""

import json
from typing import Any

import pytest

from app.graph.fake.acting import act
from app.graph.fake.customers import FIELDS
from app.graph.fake.ids import INCOMING, marker_of
from app.graph.fake.people import user_id_of
from app.graph.fake.webhooks import Change, bytes_of
from tests.support.envelopes import NUMBER, events_of
from tests.support.fake_meta import CalledMeta

PHONE = "+4915112345678"
ACTIONS: dict[str, dict[str, Any]] = {
    "text": {"text": "hi"},
    "image": {"caption": "Taj Mahal"},
    "video": {},
    "audio": {"voice": True},
    "document": {"filename": "a.pdf"},
    "sticker": {},
    "button": {"title": "Yes"},
    "list": {"title": "Small"},
    "template_button": {"title": "Stop", "payload": "stop"},
    "location": {"latitude": 52.52, "longitude": 13.405, "name": "Berlin"},
    "contacts": {"contacts": [{"name": {"formatted_name": "Lucía"}, "phones": [{"phone": "+34600111222"}]}]},
    "reaction": {"emoji": "👍"},
    "order": {},
    "flow": {"response": {"size": "s"}},
    "number": {"number": "+4915199999999"},
    "unsupported": {},
    "call": {},
    "hang_up": {},
    "marketing": {"value": "stop"},
}


def does(meta: CalledMeta, kind: str, **facts: Any) -> dict[str, Any]:
    """Let the customer act; return the item of the webhook."""
    act(meta.meta, {"from": PHONE, "type": kind, **facts}, "https://meta.example")
    lists = meta.outlet.planned[-1][1].value
    name = next(name for name in ("messages", "calls", "user_preferences") if name in lists)
    item: dict[str, Any] = lists[name][0]
    return item


def last(meta: CalledMeta) -> Change:
    return meta.outlet.planned[-1][1]


def test_every_action_is_tried_here() -> None:
    assert set(ACTIONS) == set(FIELDS)


@pytest.mark.parametrize("kind", ACTIONS)
def test_what_a_customer_does_is_an_event_of_that_customer(meta: CalledMeta, kind: str) -> None:
    does(meta, kind, **ACTIONS[kind])

    [event] = events_of(bytes_of([last(meta)]))
    assert not event.type.endswith("unknown")
    assert event.contact.wa_id == PHONE.lstrip("+")


def test_a_text_comes_with_the_customer_and_the_id_of_a_received_message(meta: CalledMeta) -> None:
    item = does(meta, "text", text="hi", name="Lu", username="lu")

    [contact] = last(meta).value["contacts"]
    assert marker_of(item["id"]) == INCOMING
    assert (item["from"], item["text"]) == ("4915112345678", {"body": "hi"})
    assert contact["profile"] == {"name": "Lu", "username": "lu"}
    assert contact["user_id"] == item["from_user_id"]


def test_a_button_is_answered_by_its_title(meta: CalledMeta) -> None:
    buttons = [{"type": "reply", "reply": {"id": f"id-{title}", "title": title}} for title in ("Yes", "No")]
    action = {"buttons": buttons}
    sent = meta.send(type="interactive", interactive={"type": "button", "body": {"text": "?"}, "action": action})

    item = does(meta, "button", title="No")

    assert item["interactive"] == {"type": "button_reply", "button_reply": {"id": "id-No", "title": "No"}}
    assert item["context"]["id"] == json.loads(sent.body)["messages"][0]["id"]


def test_a_row_is_answered_with_its_description(meta: CalledMeta) -> None:
    rows = [{"id": "s", "title": "Small", "description": "20 cm"}]
    action = {"button": "Choose", "sections": [{"rows": rows}]}
    meta.send(type="interactive", interactive={"type": "list", "body": {"text": "?"}, "action": action})

    item = does(meta, "list", title="Small")

    assert item["interactive"]["list_reply"] == {"id": "s", "title": "Small", "description": "20 cm"}


def test_a_file_of_a_customer_can_be_fetched(meta: CalledMeta) -> None:
    item = does(meta, "image")

    told = json.loads(meta.ask("GET", item["image"]["id"]).body)
    assert told["mime_type"] == item["image"]["mime_type"] == "image/png"
    assert item["image"]["url"].startswith("https://meta.example/whatsapp_business/attachments/?mid=")


def test_a_customer_may_be_known_by_user_id_only(meta: CalledMeta) -> None:
    act(meta.meta, {"user_id": "US.13491208655302741918", "type": "text", "text": "hi"}, "")

    [contact] = last(meta).value["contacts"]
    [message] = last(meta).value["messages"]
    assert "wa_id" not in contact
    assert "from" not in message


def test_a_number_and_a_user_id_that_came_together_are_one_customer(meta: CalledMeta) -> None:
    does(meta, "text", text="hi", user_id="DE.1")

    meta.send(None, recipient="DE.1")

    assert meta.outlet.planned[1][1].value["statuses"][0]["recipient_id"] == "4915112345678"


@pytest.mark.parametrize(("kind", "is_open"), [("text", True), ("call", True), ("reaction", True), ("number", False)])
def test_the_window_is_opened_for_a_day(meta: CalledMeta, kind: str, is_open: bool) -> None:
    meta.switch(windows="strict")
    does(meta, kind, **ACTIONS[kind])

    def fate() -> str:
        meta.send()
        return str(
            [status for _, change in meta.outlet.planned for status in change.value.get("statuses", [])][-1]["status"]
        )

    early = fate()
    meta.clock.advance(24 * 3600)

    assert (early, fate()) == ("read" if is_open else "failed", "failed")


def test_messages_to_a_customer_who_came_by_an_advertisement_are_free_for_three_days(meta: CalledMeta) -> None:
    does(meta, "text", text="hi", referral={"source_type": "ad", "source_id": "1", "ctwa_clid": "Aff-n8"})
    meta.outlet.planned.clear()

    meta.send()
    meta.clock.advance(71 * 3600)
    meta.send()
    meta.clock.advance(2 * 3600)
    meta.send()

    prices = [status["pricing"]["type"] for _, status in meta.statuses if status["status"] == "sent"]
    sent = meta.statuses[0][1]
    assert prices == ["free_entry_point", "free_entry_point", "free_customer_service"]
    assert sent["conversation"]["origin"] == {"type": "referral_conversion"}
    assert "expiration_timestamp" in sent["conversation"]
    assert "expiration_timestamp" not in meta.statuses[1][1]["conversation"]


def test_an_echo_comes_back_a_second_later(meta: CalledMeta) -> None:
    meta.send(text={"body": "echo: hi"})

    [(after, change)] = [(after, change) for after, change in meta.outlet.planned if "messages" in change.value]
    assert (after, change.value["messages"][0]["text"]["body"]) == (1, "echo: hi")


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ({"from": PHONE, "type": "sing"}, "has the type 'sing'"),
        ({"from": PHONE, "type": "text"}, "text needs text"),
        ({"from": PHONE, "type": "location", "latitude": 1}, "location needs longitude"),
        ({"from": PHONE, "type": "text", "text": "hi", "colour": "red"}, "text takes no colour; it takes text"),
        ({"from": PHONE, "type": "call", "colour": "red"}, "call takes no colour; it takes nothing"),
        ({"type": "text", "text": "hi"}, "say who acts"),
        ({"from": PHONE, "type": "text", "text": "hi", "to": "1"}, "no business number 1"),
    ],
)
def test_an_action_that_there_is_not_is_refused(meta: CalledMeta, action: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        act(meta.meta, action, "")


def test_an_action_is_to_the_number_that_it_names(meta: CalledMeta) -> None:
    does(meta, "text", text="hi", to="9876543211")

    assert last(meta).value["metadata"]["phone_number_id"] == "9876543211" != NUMBER


def test_a_test_number_that_writes_has_the_user_id_that_its_statuses_tell() -> None:
    assert (user_id_of("9990000002"), user_id_of("XX.FAKE0002")) == ("XX.FAKE0002", "XX.FAKE0002")
    assert user_id_of("4915112345678").startswith("US.")
