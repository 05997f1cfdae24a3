"""Invalid requests about deliveries and destinations are refused in the common form, and change nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.job import Dead
from app.store import Store
from tests.support.deliveries import claim, put_deliveries, settle_all
from tests.support.events import event_id, new_event
from tests.support.store import Databases, sqlite_databases
from tests.support.webhooks import bearer

DELIVERIES = "/api/deliveries"
DESTINATIONS = "/api/destinations"
REPLAY = f"{DELIVERIES}/replay"
READER = bearer("TEST_READER_TOKEN")


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    """One kind is enough: nothing of this reaches the store."""
    return sqlite_databases(tmp_path)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("cursor=bm9wZQ", "invalid_cursor"),
        ("cursor=%00", "invalid_cursor"),
        ("state=", "invalid_parameter"),
        ("state=lost", "invalid_parameter"),
        ("state=dead%0a", "invalid_parameter"),
        ("state=open", "invalid_parameter"),
        ("destination=", "invalid_parameter"),
        ("destination=a%00b", "invalid_parameter"),
        ("destination=" + "x" * 65, "invalid_parameter"),
        ("destination=%25", "invalid_parameter"),
        ("destination=cmr", "invalid_parameter"),
        ("event=evt_1", "invalid_parameter"),
        ("event=" + event_id("hi").upper(), "invalid_parameter"),
        ("event=%ff", "invalid_parameter"),
    ],
)
def test_an_invalid_query_is_refused(client: FlaskClient, query: str, code: str) -> None:
    assert refusal(client.get(f"{DELIVERIES}?{query}", headers=READER)) == (400, code)


@pytest.mark.parametrize(
    "tail", ["dlv_999", "dlv_", "dlv_0", "dlv_-1", "dlv_" + "9" * 40, "%00", "dlv_1%2f2", "..%2f"]
)
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/replay")])
def test_a_delivery_that_is_not_there_is_not_found(client: FlaskClient, tail: str, method: str, end: str) -> None:
    answer = client.open(f"{DELIVERIES}/{tail}{end}", method=method, headers=bearer())

    assert refusal(answer) == (404, "not_found")


@pytest.mark.parametrize("path", [REPLAY, f"{DELIVERIES}/dlv_1/replay"])
def test_a_token_that_may_only_read_cannot_replay(client: FlaskClient, store: Store, path: str) -> None:
    put_deliveries(store, new_event())

    assert refusal(client.post(path, json={}, headers=READER)) == (403, "forbidden")
    assert refusal(client.post(path, json={})) == (401, "unauthorized")


BAD_BODIES: list[tuple[Any, str]] = [
    ({"destination": "cmr"}, "/destination"),
    ({"destination": ""}, "/destination"),
    ({"destination": None}, "/destination"),
    ({"destination": ["crm"]}, "/destination"),
    ({"destination": "c\u0000rm"}, "/destination"),
    ({"types": []}, "/types"),
    ({"types": "message.*"}, "/types"),
    ({"types": ["message.*", "a b"]}, "/types/1"),
    ({"types": ["message.*\n"]}, "/types/0"),
    ({"types": ["[!a]"]}, "/types/0"),
    ({"types": ["x" * 101]}, "/types/0"),
    ({"types": ["*", "messages.*"]}, "/types/1"),
    ({"includeMissing": True}, "/destination"),
    ({"includeMissing": True, "destination": "crm", "state": "dead"}, "/state"),
    ({"includeMissing": "yes", "destination": "crm"}, "/includeMissing"),
    ({"types": ["*"] * 101}, "/types"),
    ({"since": "2026-01-02T12:00:00"}, "/since"),
    ({"since": "2026-01-02"}, "/since"),
    ({"since": "yesterday"}, "/since"),
    ({"since": 1764000000}, "/since"),
    ({"since": "0001-01-01T00:00:00+23:59"}, "/since"),
    ({"until": "9999-12-31T23:59:59-23:59"}, "/until"),
    ({"until": "2026-01-02T12:00:00+99:00"}, "/until"),
    ({"since": "2026-01-02T12:00:00Z", "until": "2026-01-02T12:00:00Z"}, "/until"),
    ({"state": "lost"}, "/state"),
    ({"state": "open"}, "/state"),
    ({"state": 1}, "/state"),
    ({"cursor": 7}, "/cursor"),
    ({"cursor": None}, "/cursor"),
    ({"everything": True}, "/everything"),
    ([], ""),
    ("crm", ""),
    (None, ""),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_BODIES)
def test_an_invalid_selection_is_refused_with_a_pointer(
    client: FlaskClient, store: Store, body: Any, pointer: str
) -> None:
    put_deliveries(store, new_event())
    settle_all(store, Dead("gave up"))

    answer = client.post(REPLAY, data=json.dumps(body), content_type="application/json", headers=bearer())

    assert refusal(answer) == (422, "invalid_fields")
    assert [field["pointer"] for field in answer.get_json()["error"]["details"]["fields"]] == [pointer]
    assert claim(store) == []


@pytest.mark.parametrize("cursor", ["", "MA", "bm9wZQ", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "!!", "LTE", "\u0663"])
def test_a_cursor_that_is_not_ours_is_refused(client: FlaskClient, cursor: str) -> None:
    assert refusal(client.post(REPLAY, json={"cursor": cursor}, headers=bearer())) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", (400, "invalid_json")),
        (b"", "application/json", (400, "invalid_json")),
        (b'{"state":"dead","state":"dead"}', "application/json", (400, "invalid_json")),
        (b"state=dead", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b"{}", "", (415, "unsupported_media_type")),
        (b'"' + b"x" * 1024 * 1024 + b'"', "application/json", (413, "body_too_large")),
    ],
)
def test_a_body_that_is_not_the_expected_json_is_refused(
    client: FlaskClient, body: bytes, content_type: str, code: tuple[int, str]
) -> None:
    assert refusal(client.post(REPLAY, data=body, content_type=content_type, headers=bearer())) == code


@pytest.mark.parametrize("name", ["cmr", "CRM", "%00", "crm%0a", "..%2fcrm", "%ff", "x" * 300])
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/test")])
def test_a_destination_that_is_not_configured_is_not_found(
    client: FlaskClient, name: str, method: str, end: str
) -> None:
    answer = client.open(f"{DESTINATIONS}/{name}{end}", method=method, headers=bearer())

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("verb", ["pause", "resume", "test"])
def test_a_token_that_may_only_read_cannot_touch_a_destination(client: FlaskClient, verb: str) -> None:
    answer = client.post(f"{DESTINATIONS}/crm/{verb}", headers=READER)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "forbidden")
    assert client.post(f"{DESTINATIONS}/crm/{verb}").status_code == 401
    assert client.get(f"{DESTINATIONS}/crm", headers=READER).get_json()["state"] == "active"


@pytest.mark.parametrize("moment", ["2026-01-02T12:00:00Z\0", "2026-01-02T12:00:00Z\0junk", "\0"])
@pytest.mark.parametrize("field", ["since", "until"])
def test_a_time_with_a_nul_character_is_refused(client: FlaskClient, field: str, moment: str) -> None:
    answer = client.post(REPLAY, json={field: moment}, headers=bearer())

    assert refusal(answer) == (400, "invalid_parameter")
