"""Probes, status, metrics and diagnostics, as clients with and without a token see them."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.factory import create_app
from app.gateway import Gateway
from tests.support.live import LIVE_ENVIRONMENT
from tests.support.messages import accept, new_message, status, tracker_of, webhook
from tests.support.webhooks import PATH, bearer, body_of, signed
from tests.support.work import add_events

HIDDEN = ["/status", "/metrics", "/debug/diagnostics"]


def test_liveness_answers_get_and_head(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"ok": True, "service": "wats"}
    assert client.head("/healthz").status_code == 200
    assert client.get("/healthz").headers["X-Wats-Mode"] == "live"


def test_readiness_shows_each_check(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.get_json() == {
        "ok": True,
        "service": "wats",
        "checks": {"database": "ok", "schema": "ok", "disk": "ok", "draining": "ok"},
    }
    assert client.head("/readyz").status_code == 200


@pytest.mark.parametrize(("path", "alias"), [("/healthz", "/health"), ("/readyz", "/ready")])
def test_a_probe_answers_alike_on_its_path_without_a_z(client: FlaskClient, path: str, alias: str) -> None:
    answers = [client.open(each, method=method) for each in (path, alias) for method in ("GET", "HEAD", "POST")]

    assert [answer.status_code for answer in answers] == [200, 200, 405] * 2
    assert answers[0].data == answers[3].data


def test_a_database_without_its_schema_is_alive_but_not_ready(settings: Settings) -> None:
    app = create_app(settings)
    app.extensions["wats"].store.open()

    answer = app.test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["checks"]["schema"] != "ok"
    assert app.test_client().get("/healthz").status_code == 200
    app.extensions["wats"].store.close()


@pytest.mark.parametrize("path", HIDDEN)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, bearer("TEST_READER_TOKEN")])
def test_a_hidden_route_answers_exactly_like_an_unknown_path(
    client: FlaskClient, path: str, method: str, headers: dict[str, str]
) -> None:
    request_id = {"X-Request-Id": "same"}

    hidden = client.open(path, method=method, headers={**headers, **request_id})
    unknown = client.open("/nowhere", method=method, headers={**headers, **request_id})

    assert hidden.status_code == unknown.status_code == 404
    assert hidden.data == unknown.data
    assert dict(hidden.headers) == dict(unknown.headers)


WEBSOCKET = {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}
ROUTING_HEADERS = [
    {"Connection": "upgrade", "Upgrade": "websocket"},
    WEBSOCKET,
    {**WEBSOCKET, "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"},
    {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""},
    {"Connection": "close"},
    {"Host": "elsewhere.example:81"},
    {"Host": "@/"},
    {"Host": ""},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Proto": "wss", "X-Forwarded-Prefix": "/a"},
    {"X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"},
    {"Script-Name": "/status", "Path-Info": "/status"},
    {"Accept": "text/html"},
    {"Content-Type": "application/json", "Content-Length": "0"},
    {"Expect": "100-continue"},
    {"Range": "bytes=0-0", "If-None-Match": "*"},
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"]
SPELLINGS = ["{}", "/{}", "//{}", "{}/", "{}/x", "{};x"]


@pytest.mark.parametrize("path", HIDDEN)
@pytest.mark.parametrize("headers", ROUTING_HEADERS, ids=str)
def test_no_header_and_no_method_tells_a_hidden_route_from_an_unknown_path(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    told = [
        f"{method} {spelling}"
        for method in METHODS
        for spelling in SPELLINGS
        if answer(client, method, spelling.format(path), headers)
        != answer(client, method, spelling.format("/nowhere"), headers)
    ]

    assert told == []


def answer(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> tuple[object, ...]:
    """Return all of the answer; the path is as the server sees it, with doubled slashes."""
    asked = {**headers, "X-Request-Id": "same"}
    response = client.open(method=method, headers=asked, environ_overrides={"PATH_INFO": path})
    return response.status_code, response.data, sorted(response.headers)


@pytest.mark.parametrize("path", HIDDEN)
def test_with_the_token_a_wrong_method_is_405(client: FlaskClient, path: str) -> None:
    answer = client.delete(path, headers=bearer())

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_status_shows_what_the_store_holds(client: FlaskClient) -> None:
    body = body_of()
    client.post(PATH, data=body, headers=signed(body))

    status = client.get("/status", headers=bearer()).get_json()

    assert status["mode"] == "live"
    assert status["database"]["kind"] == "sqlite"
    assert status["database"]["compatible"] is True
    assert status["receipts"]["pending"] == status["receipts"]["total"] == 1
    assert status["receipts"]["oldestPendingSeconds"] >= 0
    assert status["workers"] == []


def test_a_gateway_that_is_not_ready_needs_attention(settings: Settings) -> None:
    storage = replace(settings.storage, min_free_megabytes=10**9)
    app = create_app(replace(settings, storage=storage))
    app.extensions["wats"].store.upgrade_schema()
    app.extensions["wats"].store.open()

    attention = app.test_client().get("/status", headers=bearer()).get_json()["attention"]

    assert (attention[0]["code"], attention[0]["subject"]) == ("not_ready", "disk")
    assert attention[0]["cause"] == "not ready: disk: too little space is left on the disk"
    app.extensions["wats"].store.close()


def test_metrics_count_webhooks_and_requests(client: FlaskClient) -> None:
    body = body_of()
    for _ in range(2):
        client.post(PATH, data=body, headers=signed(body))

    metrics = client.get("/metrics", headers=bearer()).text

    assert 'wats_webhooks_total{outcome="accepted"} 1.0' in metrics
    assert 'wats_webhooks_total{outcome="duplicate"} 1.0' in metrics
    assert 'wats_http_request_seconds_count{method="POST",route="webhook",status="200"} 2.0' in metrics
    assert 'wats_receipts{state="pending"} 1.0' in metrics
    assert "wats_store_up 1.0" in metrics


def test_metrics_count_messages_that_meta_has_accepted_twice(client: FlaskClient, gateway: Gateway) -> None:
    before = client.get("/metrics", headers=bearer()).text
    [message] = accept(gateway.store, new_message())
    for wamid in ("wamid.A", "wamid.B"):
        told = status(wamid, tracker=tracker_of(gateway.store, message))
        add_events(gateway.store, *webhook(statuses=[told]))

    after = client.get("/metrics", headers=bearer()).text

    assert "\nwats_duplicate_sends_total 0.0\n" in before
    assert "\nwats_duplicate_sends_total 1.0\n" in after


def test_metrics_are_served_while_the_store_is_unavailable(client: FlaskClient, gateway: Gateway) -> None:
    gateway.store.close()

    answer = client.get("/metrics", headers=bearer())

    assert answer.status_code == 200
    assert "wats_store_up 0.0" in answer.text


def test_status_is_503_while_the_store_is_unavailable(client: FlaskClient, gateway: Gateway) -> None:
    gateway.store.close()

    answer = client.get("/status", headers=bearer())

    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"]) == (503, "unavailable")
    assert [alert["code"] for alert in error["details"]["attention"]] == ["not_ready"] * 2
    assert 'wats_attention{alert="not_ready",subject="database"} 1.0' in client.get("/metrics", headers=bearer()).text


def test_diagnostics_hold_no_secret(client: FlaskClient, settings: Settings) -> None:
    answer = client.get("/debug/diagnostics", headers=bearer())

    assert answer.status_code == 200
    assert answer.get_json()["process"]["pid"] > 0
    assert not [value for value in LIVE_ENVIRONMENT.values() if value in answer.text]
    assert str(Path(settings.data_dir)) not in answer.text


def test_a_webhook_is_503_where_the_store_was_never_opened(settings: Settings) -> None:
    app: Flask = create_app(settings)
    body = body_of()

    answer = app.test_client().post(PATH, data=body, headers=signed(body))

    assert answer.status_code == 503
