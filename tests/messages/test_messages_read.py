"""Calls to Meta while a client waits: marking as read, and asking what became of a message; and what they say."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.domain.send_answer import SendAnswer
from app.gateway import EXTENSION, Gateway
from app.graph.call import GraphReply, GraphRequest, GraphUnreachable
from app.store.tables.message_schema import messages
from app.web.meta_calls import EXTENSION as META_CALLS
from app.web.meta_calls import MetaCalls
from tests.support.messages import accept, new_message, webhook
from tests.support.webhooks import bearer
from tests.support.work import add_events

NUMBER = "9876543210"
WAMID = "wamid.HBg/+="
REGAIN = '{"1": [{"call_count": 100, "estimated_time_to_regain_access": 3}]}'


@dataclass
class ScriptedGraph:
    """Meta with one answer. `calls` are what it was asked."""

    status: int = 200
    body: bytes = b'{"success": true}'
    headers: tuple[tuple[str, str], ...] = ()
    failure: str | None = None
    calls: list[GraphRequest] = field(default_factory=list)

    def send(self, phone_number_id: str, endpoint: str, body: bytes) -> SendAnswer:
        raise AssertionError((phone_number_id, endpoint, body))

    def call(self, request: GraphRequest) -> GraphReply:
        self.calls.append(request)
        if self.failure is not None:
            raise GraphUnreachable(self.failure)
        return GraphReply(self.status, self.headers, iter([self.body]))


@pytest.fixture
def graph(app: Flask, gateway: Gateway) -> ScriptedGraph:
    """The Meta of a gateway that has got one message."""
    graph = ScriptedGraph()
    app.extensions[EXTENSION] = replace(gateway, make_graph=lambda _: graph)
    written = {"id": WAMID, "from": "4915112345678", "timestamp": "1767355200", "type": "text", "text": {"body": "a"}}
    add_events(gateway.store, *webhook(number=NUMBER, messages=[written]))
    return graph


def read(client: FlaskClient, body: Any, message_id: str = "wamid.HBg%2F%2B%3D") -> TestResponse:
    return client.post(f"/api/messages/{message_id}/read", json=body, headers=bearer())


def error_of(response: TestResponse) -> tuple[int, str, str]:
    error = response.get_json()["error"]
    return response.status_code, error["code"], error["message"]


def test_a_message_is_marked_as_read(client: FlaskClient, graph: ScriptedGraph) -> None:
    plain, typing = read(client, {}), read(client, {"typing": True})

    assert (plain.status_code, plain.get_json(), typing.status_code) == (200, {"read": True}, 200)
    [first, second] = graph.calls
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": WAMID}
    assert (first.method, first.path, json.loads(bytes(first.body))) == ("POST", f"{NUMBER}/messages", receipt)  # type: ignore[arg-type]
    assert json.loads(bytes(second.body)) == {**receipt, "typing_indicator": {"type": "text"}}  # type: ignore[arg-type]


def test_only_a_message_of_a_customer_is_marked(client: FlaskClient, gateway: Gateway, graph: ScriptedGraph) -> None:
    [sent] = accept(gateway.store, new_message())

    assert error_of(read(client, {}, sent.id))[:2] == (409, "not_inbound")
    assert error_of(read(client, {}, "wamid.unknown"))[:2] == (404, "not_found")
    assert error_of(read(client, {"typing": "yes"}))[:2] == (422, "invalid_fields")
    refused = client.post(f"/api/messages/{sent.id}/read", json={}, headers=bearer("TEST_READER_TOKEN"))
    assert error_of(refused)[:2] == (403, "forbidden")
    assert graph.calls == []


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (401, b'{"error": {"code": 190, "message": "expired"}}', "meta_refused", "`auth.accessToken`"),
        (400, b'{"error": {"code": 100, "message": "too old"}}', "meta_refused", "too old"),
        (429, b'{"error": {"code": 130429, "message": "slow"}}', "meta_unavailable", "for now"),
        (502, b"<html>", "meta_unavailable", "HTTP 502"),
        (200, b'{"success": false}', "meta_unavailable", "HTTP 200"),
    ],
)
def test_a_refusal_is_printed_with_its_cure(
    client: FlaskClient, graph: ScriptedGraph, status: int, body: bytes, code: str, said: str
) -> None:
    graph.status, graph.body = status, body

    response = read(client, {})

    assert error_of(response)[:2] == (502 if code == "meta_refused" else 503, code)
    assert said in error_of(response)[2]


def test_a_meta_that_is_not_reached_is_reported(client: FlaskClient, graph: ScriptedGraph) -> None:
    graph.failure = "connection refused"

    response = read(client, {})

    assert error_of(response)[:2] == (503, "meta_unavailable")
    assert ("connection refused" in error_of(response)[2], response.headers["Retry-After"]) == (True, "1")


def test_only_so_many_calls_wait_for_meta_at_a_time(app: Flask, client: FlaskClient, graph: ScriptedGraph) -> None:
    app.extensions[META_CALLS] = calls = MetaCalls(limit=1)

    with calls.one():
        refused = read(client, {})

    assert (error_of(refused)[:2], refused.headers["Retry-After"], graph.calls) == ((503, "busy"), "5", [])
    assert read(client, {}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "asked"),
    [((("retry-after", "70"),), 70), ((("X-Business-Use-Case-Usage", REGAIN),), 180), ((), 5)],
    ids=["Retry-After", "regain", "neither"],
)
def test_a_client_is_asked_to_wait_as_long_as_meta_has_asked(
    client: FlaskClient, graph: ScriptedGraph, headers: tuple[tuple[str, str], ...], asked: int
) -> None:
    graph.status, graph.body, graph.headers = 400, b'{"error": {"code": 80007, "message": "too many"}}', headers

    refused = read(client, {})

    assert (error_of(refused)[1], refused.headers["Retry-After"]) == ("meta_unavailable", str(asked))


def reconcile(client: FlaskClient, message_id: str) -> TestResponse:
    return client.post(f"/api/messages/{message_id}/reconcile", headers=bearer())


def test_meta_is_asked_what_became_of_a_message(client: FlaskClient, gateway: Gateway, graph: ScriptedGraph) -> None:
    sent, unknown = accept(gateway.store, new_message(number=NUMBER), new_message(number=NUMBER))
    change = update(messages).where(messages.c.id == sent.row_id).values(status="accepted", wamid="wamid.out/=")
    gateway.store.write(lambda c: c.execute(change))
    told = [{"delivery_status": word, "timestamp": 1767355200} for word in ("SENT", "DELIVERED")]
    graph.body = json.dumps({"data": [{"message_id": "wamid.out/=", "events": {"data": told}}]}).encode()

    asked = reconcile(client, "wamid.out%2F%3D")
    graph.body = b'{"data": []}'
    again = reconcile(client, sent.id)

    assert (asked.status_code, asked.get_json()["status"]) == (200, "delivered")
    assert again.get_json()["status"] == "delivered"
    call = graph.calls[0]
    assert (call.method, call.path) == ("GET", f"{NUMBER}/message_history")
    assert call.query.startswith("message_id=wamid.out%2F%3D&fields=")
    assert error_of(reconcile(client, unknown.id))[:2] == (409, "no_wamid")
    assert error_of(reconcile(client, "wamid.nowhere"))[:2] == (404, "not_found")
    assert len(graph.calls) == 2
    graph.status, graph.body = 403, b'{"error": {"code": 10, "message": "not available"}}'
    assert error_of(reconcile(client, sent.id))[:2] == (502, "meta_refused")
