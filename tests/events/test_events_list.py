"""Events over HTTP, newest first, and by contact, number, type, receipt and time."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.gateway import Gateway
from tests.support.events import new_event, put_events
from tests.support.store import NOON
from tests.support.webhooks import bearer

EVENTS = "/api/events"


def get(client: FlaskClient, query: str) -> Any:
    return client.get(f"{EVENTS}?{query}", headers=bearer()).get_json()


def texts(page: Any) -> list[str]:
    return [event["data"]["text"] for event in page["items"]]


@pytest.fixture(autouse=True)
def stored(gateway: Gateway) -> None:
    for minute, name in enumerate("abcde"):
        wa_id = "4915112345678" if name < "d" else "15550001111"
        put_events(
            gateway.store,
            new_event(name, wa_id=wa_id, kind="call.connect" if name == "b" else "message.text"),
            received_at=NOON + timedelta(minutes=minute),
            receipt=minute + 1,
        )


def test_the_newest_events_come_first_and_the_last_page_has_no_cursor(client: FlaskClient) -> None:
    first = get(client, "order=desc&limit=2")
    second = get(client, f"order=desc&limit=2&cursor={first['nextCursor']}")
    last = get(client, f"order=desc&limit=1&cursor={second['nextCursor']}")

    assert [texts(page) for page in (first, second, last)] == [["e", "d"], ["c", "b"], ["a"]]
    assert last["nextCursor"] is None
    assert get(client, "order=desc&receipt=rcp_99") == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("contact=%2B4915112345678&types=message.*", ["a", "c"]),
        ("contact=+49 (151) 1234-5678&types=message.*", ["a", "c"]),
        ("contact=15550001111&order=desc", ["e", "d"]),
        ("phoneNumberId=9876543210&types=call.*", ["b"]),
        ("phoneNumberId=1", []),
        ("receipt=rcp_3", ["c"]),
        ("since=2026-01-02T12:02:00Z&until=2026-01-02T13:04:00%2B01:00", ["c", "d"]),
        ("until=2026-01-02T13:01:00+01:00", ["a"]),  # a plus sign that is not encoded
        ("order=asc&since=2026-01-02T12:04:00Z", ["e"]),
    ],
)
def test_events_are_filtered(client: FlaskClient, query: str, names: list[str]) -> None:
    assert texts(get(client, query)) == names


def test_a_reader_with_a_filter_follows_its_cursor(client: FlaskClient, gateway: Gateway) -> None:
    page = get(client, "contact=15550001111")
    put_events(gateway.store, new_event("f"), new_event("g", wa_id="15550001111"))

    following = get(client, f"contact=15550001111&wait=1&cursor={page['nextCursor']}")

    assert texts(page) == ["d", "e"]
    assert texts(following) == ["g"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("order=newest", "invalid_parameter", "order must be asc or desc."),
        ("order=desc&wait=1", "invalid_parameter", "order=desc and wait exclude each other."),
        ("order=desc&consumer=crm", "invalid_parameter", "order=desc and consumer exclude each other."),
        ("order=desc&cursor=latest", "invalid_cursor", "The cursor is not one of ours."),
        ("since=yesterday", "invalid_parameter", "since: It must be a time with its zone, such as"),
        ("since=2026-01-02T03:04:05", "invalid_parameter", "since: It must be a time with its zone"),
        ("until=2026-01-02T03:04:05Z%00", "invalid_parameter", "until holds a NUL character."),
        ("since=2026-01-02T03:04:05Z&until=2026-01-02T03:04:05Z", "invalid_parameter", "until must be later"),
        ("contact=12", "invalid_parameter", "The contact must be a phone number with its country code, "),
        ("contact=a%00bcdef", "invalid_parameter", "The contact must be a phone number with its country code, "),
        ("phoneNumberId=", "invalid_parameter", "phoneNumberId must be the id of a number."),
        ("receipt=evt_1", "invalid_parameter", "receipt must be the id of a receipt."),
        ("type=message.text", "invalid_parameter", "type is not one; did you mean types?"),
        ("phone_number_id=1", "invalid_parameter", "did you mean phoneNumberId?"),
        ("zzz=1", "invalid_parameter", "no other is accepted."),
        ("limit=1&limit=2", "invalid_parameter", "limit may be given only once."),
    ],
)
def test_a_wrong_query_is_refused_with_its_reason(client: FlaskClient, query: str, code: str, message: str) -> None:
    error = get(client, query)["error"]

    assert error["code"] == code
    assert message in error["message"]


@pytest.mark.parametrize(("made", "used"), [("desc", "asc"), ("asc", "desc")])
def test_a_cursor_continues_in_its_own_order_only(client: FlaskClient, made: str, used: str) -> None:
    cursor = get(client, f"order={made}&limit=1")["nextCursor"]

    error = get(client, f"order={used}&cursor={cursor}")["error"]

    assert error["code"] == "invalid_cursor"
    assert error["message"].startswith("The cursor is of a list in the other order: ask in that order")


def test_a_consumer_acknowledges_no_cursor_of_the_newest(client: FlaskClient) -> None:
    cursor = get(client, "order=desc&limit=1")["nextCursor"]

    refused = client.post("/api/consumers/crm/ack", json={"cursor": cursor}, headers=bearer())

    assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, "invalid_cursor")
