"""Consumers: named readers whose position the gateway stores."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.gateway import Gateway
from app.store.consumers import MAX_CONSUMERS
from app.store.tables.schema import consumers, events
from tests.support.events import new_event, put_events
from tests.support.store import NOON
from tests.support.webhooks import bearer

HOUR = timedelta(hours=1)
READER = bearer("TEST_READER_TOKEN")


def read(client: FlaskClient, name: str = "crm", **query: Any) -> Any:
    return client.get("/api/events", query_string={"consumer": name, **query}, headers=READER).get_json()


def ack(client: FlaskClient, cursor: Any, name: str = "crm") -> TestResponse:
    return client.post(f"/api/consumers/{name}/ack", json={"cursor": cursor}, headers=READER)


def texts(page: Any) -> list[str]:
    return [event["data"]["text"] for event in page["items"]]


def test_a_consumer_continues_after_its_acknowledged_cursor(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, *map(new_event, "abc"))
    first = read(client, limit=2)
    unacknowledged = read(client, limit=2)
    acknowledged = ack(client, first["nextCursor"])

    second = read(client, limit=2)

    assert texts(first) == texts(unacknowledged) == ["a", "b"]
    assert (acknowledged.status_code, acknowledged.get_json()["lag"]) == (200, 1)
    assert texts(second) == ["c"]
    assert texts(read(client, "other")) == ["a", "b", "c"]


def test_an_empty_page_of_a_consumer_returns_its_cursor(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, new_event("a"))
    cursor = read(client)["nextCursor"]
    ack(client, cursor)

    assert read(client) == {"items": [], "nextCursor": cursor}


def test_a_consumer_may_go_back(client: FlaskClient, gateway: Gateway) -> None:
    start = read(client)["nextCursor"]
    put_events(gateway.store, new_event("a"))
    ack(client, read(client)["nextCursor"])

    ack(client, start)

    assert texts(read(client)) == ["a"]


def test_a_consumer_is_moved_to_a_time(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, *map(new_event, "abcd"))
    times = {1: NOON, 2: NOON + 2 * HOUR, 3: NOON + HOUR, 4: NOON + 3 * HOUR}
    for sequence, at in times.items():
        change = update(events).where(events.c.id == sequence).values(received_at=at)
        gateway.store.write(lambda c, change=change: c.execute(change))

    moved = {hours: ack_since(client, NOON + hours * HOUR) for hours in (0, 1, 2, 3, 4)}

    assert {hours: answer.get_json()["lag"] for hours, answer in moved.items()} == {0: 4, 1: 3, 2: 3, 3: 1, 4: 0}
    ack_since(client, NOON + HOUR)
    assert texts(read(client)) == ["b", "c", "d"]


def ack_since(client: FlaskClient, time: datetime) -> TestResponse:
    return client.post("/api/consumers/crm/ack", json={"since": time.isoformat()}, headers=READER)


def test_consumers_are_listed_with_their_cursor_and_lag(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, *map(new_event, "abc"))
    cursor = read(client, limit=1)["nextCursor"]
    for name in ("crm", "archive"):
        ack(client, cursor, name)

    page = client.get("/api/consumers?limit=1", headers=READER).get_json()
    rest = client.get(f"/api/consumers?cursor={page['nextCursor']}", headers=READER).get_json()

    assert [consumer["name"] for consumer in page["items"] + rest["items"]] == ["archive", "crm"]
    assert client.get("/api/consumers/archive", headers=READER).get_json() == page["items"][0]
    assert page["items"][0].pop("updatedAt").endswith("Z")
    assert page["items"][0] == {
        "name": "archive",
        "cursor": cursor,
        "lag": 2,
        "oldestUnreadAt": "2026-01-02T12:00:00.123Z",
    }
    assert rest["nextCursor"] is None


def test_a_deleted_consumer_starts_at_the_oldest_event(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, new_event("a"))
    ack(client, read(client)["nextCursor"])

    deleted = client.delete("/api/consumers/crm", headers=READER)

    assert (deleted.status_code, deleted.data) == (204, b"")
    assert client.delete("/api/consumers/crm", headers=READER).status_code == 404
    assert texts(read(client)) == ["a"]


@pytest.mark.parametrize("name", ["%00", ".", "a%20b", "a" * 101, "%C3%A4", "-x"])
def test_an_invalid_name_is_refused(client: FlaskClient, name: str) -> None:
    acknowledged = ack(client, "c2VxXzE", name)
    deleted = client.delete(f"/api/consumers/{name}", headers=READER)
    shown = client.get(f"/api/consumers/{name}", headers=READER)

    assert (acknowledged.status_code, acknowledged.get_json()["error"]["code"]) == (400, "invalid_parameter")
    assert (deleted.status_code, shown.status_code) == (404, 404)


@pytest.mark.parametrize("cursor", ["", "nonsense", "latest", "c2VxXzk5OTk5OTk5OTk5OTk5OTk5OTk5", "\x00", "ä"])
def test_an_invalid_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = ack(client, cursor)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"cursor":"a","cursor":"b"}', 400),
        (b'{"cursor":' + b"9" * 5000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b"{}", 422),
        (b"[]", 422),
        (b'{"cursor":1}', 422),
        (b'{"cursor":null}', 422),
        (b'{"cursor":"c2VxXzE","more":1}', 422),
        (b" " * (1024 * 1024 + 1), 413),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_an_invalid_body_is_refused(client: FlaskClient, body: bytes, status: int) -> None:
    answer = client.post("/api/consumers/crm/ack", data=body, headers=READER, content_type="application/json")

    assert answer.status_code == status
    assert json.loads(answer.data)["error"]["requestId"]


def test_the_number_of_consumers_is_limited(client: FlaskClient, gateway: Gateway) -> None:
    rows = [{"name": f"c{number}", "cursor": 0, "updated_at": NOON} for number in range(MAX_CONSUMERS)]
    gateway.store.write(lambda c: c.execute(consumers.insert(), rows))

    answer = ack(client, read(client)["nextCursor"], "one-more")

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "too_many")
