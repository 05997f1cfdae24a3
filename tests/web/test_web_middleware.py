"""Errors, guards, request ids and headers, the same for every route."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.gateway import Gateway
from app.web.guards import OPEN, guarded_by
from tests.support.webhooks import PATH, bearer


def test_an_unknown_path_is_404_in_our_form(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"X-Request-Id": "abc-123"})

    assert answer.status_code == 404
    assert answer.get_json() == {"error": {"code": "not_found", "message": "Not Found.", "requestId": "abc-123"}}


def test_the_log_line_of_an_unavailable_store_has_the_id_of_the_request(
    gateway: Gateway, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.store.close()

    answer = client.get("/api/receipts", headers={**bearer(), "X-Request-Id": "abc-123"})

    assert answer.status_code == 503
    [line] = [record for record in caplog.records if record.getMessage() == "store.unavailable"]
    assert vars(line)["request_id"] == answer.get_json()["error"]["requestId"] == "abc-123"


def test_a_wrong_method_is_405_with_the_allowed_ones(client: FlaskClient) -> None:
    answer = client.delete(PATH)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nowhere", "/api/receipts/x/y/z", "/api/receipts"])
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_everything_under_the_api_is_401_without_a_token(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_with_a_token_the_api_answers_404_and_405(client: FlaskClient) -> None:
    assert client.get("/api/nowhere", headers=bearer()).status_code == 404
    wrong_method = client.delete("/api/receipts", headers=bearer())
    assert (wrong_method.status_code, wrong_method.headers["Allow"]) == (405, "GET, HEAD")


def test_a_path_that_only_begins_like_the_api_is_not_guarded_by_it(client: FlaskClient) -> None:
    assert client.get("/apiary").status_code == 404


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "Bearer wrong",
        "Bearer wr\xf6ng",
        "Token {}",
        "Bearer  {}",
        "Bearer {} ,x",
    ],
)
def test_a_bad_bearer_is_refused(client: FlaskClient, authorization: str) -> None:
    token = bearer()["Authorization"].removeprefix("Bearer ")

    answer = client.get("/api/receipts", headers={"Authorization": authorization.format(token)})

    assert answer.status_code == 401


@pytest.mark.parametrize("request_id", ["a", "A-b_c.9", "x" * 128])
def test_a_well_formed_request_id_is_kept(client: FlaskClient, request_id: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": request_id}).headers["X-Request-Id"] == request_id


@pytest.mark.parametrize("malformed", ["", "x" * 129, "a b", "a/b", "ä", '"'])
def test_a_malformed_request_id_is_replaced(client: FlaskClient, malformed: str) -> None:
    given = client.get("/healthz", headers={"X-Request-Id": malformed}).headers["X-Request-Id"]

    assert given != malformed
    assert len(given) == 24


def test_a_view_without_a_guard_refuses_every_request(app: Flask) -> None:
    app.add_url_rule("/bare", view_func=lambda: "secrets", endpoint="bare")

    assert app.test_client().get("/bare").status_code == 403


def test_an_internal_error_shows_the_client_only_its_id(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @guarded_by(OPEN)
    def fail() -> str:
        raise RuntimeError("the password is hunter2")

    app.add_url_rule("/fail", view_func=fail)

    answer = app.test_client().get("/fail")

    assert answer.status_code == 500
    assert answer.get_json()["error"]["code"] == "internal_error"
    assert "hunter2" not in answer.text
    assert [record.message for record in caplog.records] == ["http.failed"]


def test_a_path_with_doubled_slashes_is_unknown(client: FlaskClient) -> None:
    assert client.get("/api//receipts", headers=bearer()).status_code == 404


def test_every_response_forbids_sniffing_and_caching(client: FlaskClient) -> None:
    for path in ("/healthz", "/nowhere", "/api/receipts"):
        headers = client.get(path).headers
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
