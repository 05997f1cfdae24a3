"""Any call of the Graph API is passed on as it is, with our token in and Meta's out."""

import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import request
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from app.graph.fake.server import FakeMetaServer
from app.web.middleware import ERROR_CODE
from tests.graph_proxy.conftest import BOT, GRAPH_TOKEN, asked_by_clients, form
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import ACCOUNTS, TOKEN

GRAPH = "/api/graph/v25.0"
PNG = b"\x89PNG\r\n\x1a\n"
TEMPLATE = {"name": "a", "language": "en", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hi"}]}


def requests(meta: FakeMetaServer) -> list[dict[str, Any]]:
    """Return what Meta has received."""
    return asked_by_clients(meta)


def upload(client: FlaskClient, **fields: Any) -> TestResponse:
    """Upload a picture, as SDKs do."""
    file = FileStorage(io.BytesIO(PNG), "a.png", content_type="image/png")
    picture = form(messaging_product="whatsapp", file=file, **fields)
    return client.post(f"{GRAPH}/{NUMBER}/media", headers=BOT, **picture)


def test_a_call_reaches_meta_with_its_token_and_its_query(client: FlaskClient, meta: FakeMetaServer) -> None:
    response = client.get(f"{GRAPH}/{NUMBER}?fields=verified_name%2Cid", headers={**BOT, "X-FB-Custom": "1"})

    [request] = requests(meta)
    assert response.get_json() == {"verified_name": "Test business", "id": NUMBER}
    assert (request["method"], request["version"], request["path"]) == ("GET", "v25.0", NUMBER)
    assert request["query"] == {"fields": "verified_name,id"}
    assert request["headers"]["authorization"] == f"Bearer {TOKEN}"
    assert request["headers"]["x-fb-custom"] == "1"
    assert GRAPH_TOKEN not in str(request)


def test_a_call_without_a_version_has_the_configured_one(client: FlaskClient, meta: FakeMetaServer) -> None:
    client.get(f"/api/graph/{NUMBER}", headers=BOT)
    client.get(f"/api/graph/v19.0/{NUMBER}", headers=BOT)

    assert [request["version"] for request in requests(meta)] == ["v25.0", "v19.0"]


def test_a_refusal_of_metas_has_a_code_for_the_log(client: FlaskClient, meta: FakeMetaServer) -> None:
    with client:
        refused = client.get(f"{GRAPH}/1", headers=BOT)
        code = request.environ[ERROR_CODE]

    assert (refused.status_code, code) == (400, "meta_refused")


def test_templates_are_created_listed_and_deleted(client: FlaskClient) -> None:
    created = client.post(f"{GRAPH}/{WABA}/message_templates", json=TEMPLATE, headers=BOT).get_json()
    listed = client.get(f"{GRAPH}/{WABA}/message_templates", headers=BOT).get_json()
    deleted = client.delete(f"{GRAPH}/{WABA}/message_templates?name=a", headers=BOT).get_json()

    assert created["status"] == "PENDING"
    assert [template["id"] for template in listed["data"]] == [created["id"]]
    assert deleted == {"success": True}


def test_the_next_page_is_at_our_address_without_a_token(client: FlaskClient) -> None:
    for name in ("a", "b"):
        client.post(f"{GRAPH}/{WABA}/message_templates", json={**TEMPLATE, "name": name}, headers=BOT)

    listed = client.get(f"{GRAPH}/{WABA}/message_templates?limit=1", headers=BOT)

    following = client.get(listed.get_json()["paging"]["next"], headers=BOT)

    assert TOKEN not in listed.text
    assert {page.get_json()["data"][0]["name"] for page in (listed, following)} == {"a", "b"}


def test_no_header_of_an_answer_is_about_metas_host(client: FlaskClient) -> None:
    response = client.get(f"{GRAPH}/1", headers=BOT)

    assert response.status_code == 400
    assert response.get_json()["error"]["error_subcode"] == 33
    assert {"WWW-Authenticate", "Access-Control-Allow-Origin", "Set-Cookie"}.isdisjoint(response.headers.keys())
    assert response.headers["facebook-api-version"] == "v25.0"
    assert "X-Business-Use-Case-Usage" in response.headers


def test_a_token_of_an_app_is_not_handed_out(client: FlaskClient) -> None:
    query = urlencode({"client_id": ACCOUNTS.app_id, "client_secret": ACCOUNTS.app_secret})

    response = client.get(f"{GRAPH}/oauth/access_token?{query}", headers=BOT)

    assert response.get_json()["access_token"] == "[token]"


def test_an_uploaded_file_is_had_from_our_address(client: FlaskClient, meta: FakeMetaServer) -> None:
    media_id = upload(client).get_json()["id"]

    told = client.get(f"{GRAPH}/{media_id}", headers=BOT).get_json()

    assert told["url"] == f"http://localhost/api/media/{media_id}/content"
    assert (told["mime_type"], told["file_size"]) == ("image/png", len(PNG))
    assert requests(meta)[0]["headers"]["content-type"].startswith("multipart/form-data")


def test_a_session_of_an_upload_is_passed_on_with_metas_scheme(client: FlaskClient, meta: FakeMetaServer) -> None:
    begun = client.post(f"{GRAPH}/app/uploads?file_length={len(PNG)}&file_type=image%2Fpng", headers=BOT).get_json()

    first = client.post(f"{GRAPH}/{begun['id']}", data=PNG[:3], headers={**BOT, "File-Offset": "0"}).get_json()
    told = client.get(f"{GRAPH}/{begun['id']}", headers=BOT).get_json()
    last = client.post(f"{GRAPH}/{begun['id']}", data=PNG[3:], headers={**BOT, "File-Offset": "3"}).get_json()

    assert (first["file_offset"], told["file_offset"]) == (3, 3)
    assert last["h"].startswith("4::")
    assert {request["headers"]["authorization"] for request in requests(meta)[1:]} == {f"OAuth {TOKEN}"}
    assert {request["query"].get("sig") for request in requests(meta)[1:]} == {begun["id"].partition("sig=")[2]}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", None])
def test_what_is_uploaded_in_a_session_is_sent_as_bytes(
    kind: str | None, client: FlaskClient, meta: FakeMetaServer
) -> None:
    hidden = b"batch=%5B%5D&access_token=x&method=delete"

    client.post(f"{GRAPH}/upload:x", data=hidden, headers={**BOT, "File-Offset": "0"}, content_type=kind)

    assert [request["headers"]["content-type"] for request in requests(meta)] == ["application/octet-stream"]


@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-User", "X-Auth-Request-Access-Token", "Proxy-Authorization", "Cf-Access-Jwt-Assertion"),
        *("traceparent", "tracestate", "baggage"),
    ],
)
def test_what_a_proxy_has_put_in_front_of_us_is_not_for_meta(
    name: str, client: FlaskClient, meta: FakeMetaServer
) -> None:
    client.get(f"{GRAPH}/{NUMBER}", headers={**BOT, name: "secret-of-the-proxy"})

    assert "secret-of-the-proxy" not in str(requests(meta))


def test_a_form_is_passed_on_as_it_is_written(client: FlaskClient, meta: FakeMetaServer) -> None:
    written = urlencode({"block_users": json.dumps([{"user": "+4915112345678"}]), "messaging_product": "whatsapp"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    response = client.post(f"{GRAPH}/{NUMBER}/block_users", data=written, headers={**BOT, **kind})

    assert response.status_code == 200
    assert requests(meta)[0]["body"] == written


def test_an_answer_that_is_lost_is_an_error_in_metas_shape(client: FlaskClient, meta: FakeMetaServer) -> None:
    meta.control.meta.state.put("switches", "all", {"connection": "reset_before_headers"})

    response = client.post(f"{GRAPH}/{NUMBER}/register", json={"pin": "1"}, headers=BOT)

    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (502, 2, False)
    assert "it may have done what was asked" in error["message"]
