"""What is not passed on, in Meta's shape: no message passes by its queue, and no token comes from a client."""

import json
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.graph.fake.server import FakeMetaServer
from tests.graph_proxy.conftest import BOT
from tests.graph_proxy.test_graph_proxy_passage import GRAPH, requests
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import message
from tests.support.webhooks import bearer

SEND = f"{GRAPH}/{NUMBER}/messages"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def part(disposition: str, value: str = "x") -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n--b--\r\n".encode()


def assert_refused(response: TestResponse, meta: FakeMetaServer, status: int = 400, code: int = 100) -> None:
    """Assert that a refusal has Meta's shape, and that nothing has reached Meta."""
    error = response.get_json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert error["message"].startswith(f"(#{code}) ")
    assert error["type"] == "OAuthException"
    assert error["error_data"]["details"]
    assert error["fbtrace_id"] == response.headers["X-Request-Id"]
    assert requests(meta) == []


@pytest.mark.parametrize("path", ["", "/v25.0/1", "/v25.0/1/messages", "/-/%2e%2e/"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "OAuth x"}])
def test_a_caller_without_a_token_of_ours_is_refused(
    path: str, headers: dict[str, str], client: FlaskClient, meta: FakeMetaServer
) -> None:
    assert_refused(client.post(f"/api/graph{path}", headers=headers), meta, 401, 190)


def test_a_token_without_the_scope_is_refused(client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.get(f"{GRAPH}/1", headers=bearer("TEST_READER_TOKEN")), meta, 403, 200)
    assert_refused(client.post(SEND, json=message(), headers=bearer("TEST_READER_TOKEN")), meta, 403, 200)


def test_a_token_in_the_query_lets_nobody_in(client: FlaskClient, meta: FakeMetaServer) -> None:
    token = BOT["Authorization"].partition(" ")[2]

    assert_refused(client.get(f"{GRAPH}/1?access_token={token}"), meta, 401, 190)


@pytest.mark.parametrize("query", ["access_token=x", "method=post", "batch=[]", "callback=f", "access_token[]=x"])
@pytest.mark.parametrize("path", [NUMBER, f"{NUMBER}/messages"])
def test_a_query_that_is_not_passed_on(query: str, path: str, client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.post(f"{GRAPH}/{path}?{query}", json=message(), headers=BOT), meta)


@pytest.mark.parametrize("path", [NUMBER, f"{NUMBER}/messages"])
def test_another_method_in_a_header_is_refused(path: str, client: FlaskClient, meta: FakeMetaServer) -> None:
    override = {**BOT, "X-HTTP-Method-Override": "DELETE"}

    assert_refused(client.post(f"{GRAPH}/{path}", json=message(), headers=override), meta)


@pytest.mark.parametrize("field", ["access_token", "method", "batch", "callback"])
def test_a_body_with_a_field_that_is_not_passed_on(field: str, client: FlaskClient, meta: FakeMetaServer) -> None:
    bodies: list[tuple[bytes, dict[str, str]]] = [
        (json.dumps({field: "x"}).encode(), {"Content-Type": "application/json"}),
        (f"a=b&{field}=x".encode(), FORM),
        (part(f'name="{field}"'), MULTIPART),
        (part(f'filename="a"; name="{field}"'), MULTIPART),
        (part(f'name="a"; name="{field}"'), MULTIPART),
        (part(f"name*=utf-8''{field}; name=a"), MULTIPART),
    ]

    for body, kind in bodies:
        assert_refused(client.post(f"{GRAPH}/{NUMBER}/settings", data=body, headers={**BOT, **kind}), meta)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<a/>", "text/xml"),
        (b"{}", "text/plain"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b'{"a":1,"a":2}', "application/json"),
        (part('name="a"'), "multipart/form-data"),
        (part('name="a"'), "multipart/form-data; boundary=b; boundary=c"),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"hidden\r\n" + part('name="a"'), "multipart/form-data; boundary=b"),
        (part('name="a"') + part('name="method"'), "multipart/form-data; boundary=b"),
        (part('name="a"')[:-6], "multipart/form-data; boundary=b"),
        (part('name="a"'), "multipart/form-data; boundary=a,b"),
        (b"a=b", "application/x-www-form-urlencoded; charset=utf-16"),
        (b"a=b;access[token=x", "application/x-www-form-urlencoded"),
        (b"fields=access_token", "application/x-www-form-urlencoded"),
        (b'{"fields":["access_token"]}', "application/json"),
        (part('name="access[token"'), "multipart/form-data; boundary=b"),
        (part('name="fields"'), "multipart/form-data; boundary=b"),
    ],
)
def test_a_body_that_may_be_read_in_two_ways(
    body: bytes, kind: str, client: FlaskClient, meta: FakeMetaServer
) -> None:
    response = client.post(f"{GRAPH}/{NUMBER}/settings", data=body, headers={**BOT, "Content-Type": kind})

    assert_refused(response, meta)


def test_a_body_that_is_too_large(client: FlaskClient, meta: FakeMetaServer) -> None:
    kinds = {"application/json": 2, MULTIPART["Content-Type"]: 200}

    for kind, megabytes in kinds.items():
        declared = {"CONTENT_LENGTH": str(megabytes * 1024 * 1024)}
        response = client.post(
            f"{GRAPH}/{NUMBER}/media",
            input_stream=BytesIO(),
            content_type=kind,
            headers=BOT,
            environ_overrides=declared,
        )
        assert_refused(response, meta, 413)


def test_a_body_that_is_encoded_is_not_looked_through_and_so_refused(
    client: FlaskClient, meta: FakeMetaServer
) -> None:
    encoded = {**BOT, **FORM, "Content-Encoding": "gzip"}

    assert_refused(client.post(f"{GRAPH}/{NUMBER}/settings", data=b"\x1f\x8b", headers=encoded), meta)


def test_the_root_takes_no_batch(client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.post(f"{GRAPH}/", json={"a": 1}, headers=BOT), meta)
    assert_refused(client.post("/api/graph", json={"a": 1}, headers=BOT), meta)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_message_is_sent_by_post_only(method: str, client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.open(SEND, method=method, json=message(), headers=BOT), meta)


def test_a_method_of_no_call_is_refused(client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.open(SEND, method="TRACE", headers=BOT), meta, 405)


@pytest.mark.parametrize(
    "body",
    [{"body": "hi", "from": "9876543211"}, message(status="read"), message(status="sent"), message(method="delete")],
)
def test_a_message_that_hides_something(body: Any, client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.post(SEND, json=body, headers=BOT), meta)


def test_a_message_in_a_form_or_in_the_query_is_refused(client: FlaskClient, meta: FakeMetaServer) -> None:
    fields = "messaging_product=whatsapp&to=%2B491511&type=text&text=%7B%22body%22%3A%22hi%22%7D"

    assert_refused(client.post(SEND, data=fields, headers={**BOT, **FORM}), meta)
    assert_refused(client.post(SEND, data=part('name="to"'), headers={**BOT, **MULTIPART}), meta)
    assert_refused(client.post(f"{SEND}?{fields}", headers=BOT), meta)
    assert_refused(client.post(f"{SEND}?to=%2B4915112345678", json=message(), headers=BOT), meta)


@pytest.mark.parametrize(
    "body",
    [
        message(to=None),
        message(text={"body": ""}),
        {"type": "image"},
        message(type="a" * 41, **{"a" * 41: {}}),
        [],
        "hi",
    ],
)
def test_a_message_that_is_wrong_is_refused_with_its_fields(
    body: Any, client: FlaskClient, meta: FakeMetaServer
) -> None:
    assert_refused(client.post(SEND, json=body, headers=BOT), meta)


def test_a_number_of_nobody_is_refused_as_meta_does(client: FlaskClient, meta: FakeMetaServer) -> None:
    response = client.post(f"{GRAPH}/1/messages", json=message(), headers=BOT)

    assert_refused(response, meta)
    assert response.get_json()["error"]["error_subcode"] == 33


def test_a_key_of_another_form_is_refused(client: FlaskClient, meta: FakeMetaServer) -> None:
    assert_refused(client.post(SEND, json=message(), headers={**BOT, "Idempotency-Key": "a b"}), meta)
