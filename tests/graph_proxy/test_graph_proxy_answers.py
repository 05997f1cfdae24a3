"""Whatever stands at Meta's address, a client of ours gets only what is for it."""

import contextlib
import json
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage

from app.config import Flags, Settings, load_settings
from app.domain.message import queue_of_number
from app.domain.send_answer import Accepted
from app.factory import create_app
from app.gateway import EXTENSION as GATEWAY
from app.messages.accept import Submission, accept
from app.web.graph_passing import CALLS, MAX_TEXT_BYTES
from app.web.long_polls import EXTENSION as LONG_POLLS
from app.web.long_polls import LongPollLimiter
from app.web.transfers import EXTENSION as TRANSFERS
from app.web.transfers import TransferBroken, Transfers
from tests.graph_proxy.conftest import BOT, ENVIRONMENT, calling_config, form
from tests.support.destinations import ClientConnection, ScriptedDestination
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import TOKEN, message
from tests.support.live import write_config
from tests.support.sends import accepted, reserve, settle
from tests.support.webhooks import bearer

NODE = "/api/graph/v25.0/1"


@pytest.fixture
def scripted() -> Iterator[ScriptedDestination]:
    with contextlib.closing(ScriptedDestination()) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, scripted: ScriptedDestination) -> Settings:
    config = write_config(tmp_path, calling_config(f"http://127.0.0.1:{scripted.port}"))
    flags = Flags(config=config, live=True, yes_live=True)
    return load_settings(flags, {**ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the application with these settings."""
    return app.test_client()


def test_headers_that_are_about_metas_host_are_dropped(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(
        400,
        b"{}",
        WWW_Authenticate='OAuth "x"',
        Set_Cookie="a=b",
        Strict_Transport_Security="max-age=9",
        Alt_Svc="h3",
        X_FB_Trace_ID=f"t {TOKEN}",
        Content_Type="application/json",
    )

    response = client.get(NODE, headers=BOT)

    dropped = {"WWW-Authenticate", "Set-Cookie", "Strict-Transport-Security", "Alt-Svc"}
    assert dropped.isdisjoint(response.headers.keys())
    assert response.headers["X-FB-Trace-ID"] == "t [token]"


def test_no_call_is_made_while_metas_limit_is_used_up_and_messages_are_sent(
    client: FlaskClient, app: Flask, scripted: ScriptedDestination
) -> None:
    usage = {"1": [{"type": "whatsapp", "call_count": 100, "estimated_time_to_regain_access": 3}]}
    scripted.will_answer(200, b"{}", X_Business_Use_Case_Usage=json.dumps(usage), Content_Type="application/json")
    scripted.will_answer(200, b'{"messages":[{"id":"wamid.A="}]}', Content_Type="application/json")
    assert client.get(NODE, headers=BOT).status_code == 200

    refused = client.get(NODE, headers=BOT)
    sent = app.extensions[GATEWAY].graph.send(NUMBER, "messages", b"{}", lambda: True)

    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, 2)
    assert 60 < int(refused.headers["Retry-After"]) <= 180
    assert sent == Accepted("wamid.A=")


@pytest.mark.parametrize(("code", "headers", "most"), [(80007, {}, 60), (4, {"Retry_After": "90"}, 90)])
def test_a_refusal_without_usage_rests_every_call(
    client: FlaskClient, scripted: ScriptedDestination, code: int, headers: dict[str, str], most: int
) -> None:
    refusal = json.dumps({"error": {"code": code, "message": "(#80007) Rate limit hit"}}).encode()
    scripted.will_answer(429, refusal, Content_Type="application/json", **headers)

    file = FileStorage(BytesIO(b"%PDF"), "a.pdf", content_type="application/pdf")

    first = client.get(NODE, headers=BOT)
    rested = [
        client.get("/api/graph/2", headers=BOT),
        client.get("/api/media/3", headers=bearer()),
        client.post("/api/media", headers=bearer(), **form(file=file)),
    ]

    assert (first.status_code, first.get_data()) == (429, refusal)
    assert [(answer.status_code, len(scripted.calls)) for answer in rested] == [(503, 1)] * 3
    assert all(most - 20 < int(answer.headers["Retry-After"]) <= most for answer in rested)


def test_a_refusal_rests_the_calls_of_its_account_only(tmp_path: Path, scripted: ScriptedDestination) -> None:
    config = calling_config(f"http://127.0.0.1:{scripted.port}")
    config = config.replace('wabaId: "1234567890"', 'wabaId: "1234567890", wabaIds: ["222"]')
    flags = Flags(config=write_config(tmp_path, config), live=True, yes_live=True)
    client = create_app(load_settings(flags, {**ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path / "data")})).test_client()
    scripted.will_answer(429, b'{"error":{"code":80007}}', Content_Type="application/json")
    scripted.will_answer(200, b"{}", Content_Type="application/json")

    statuses = [
        client.get(f"/api/graph/{account}/message_templates", headers=BOT).status_code
        for account in ("222", "222", "1234567890")
    ]

    assert statuses == [429, 503, 200]


def test_a_page_of_an_edge_is_passed_on_without_the_token(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(502, f"<html>{TOKEN}</html>".encode(), Content_Type="text/html")

    response = client.get(NODE, headers=BOT)

    assert (response.status_code, response.text) == (502, "<html>[token]</html>")


def test_a_form_of_metas_is_passed_on_without_the_token(client: FlaskClient, scripted: ScriptedDestination) -> None:
    form = f"access_token={TOKEN}&expires=5".encode()
    scripted.will_answer(200, form, Content_Type="application/x-www-form-urlencoded")

    assert client.get(NODE, headers=BOT).text == "expires=5"


def test_an_address_of_ours_is_behind_the_tls_of_a_proxy(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(200, b'{"url":"https://lookaside.fbsbx.com/x","id":"1"}', Content_Type="application/json")

    answer = client.get(f"{NODE}?fields=url", headers={**BOT, "X-Forwarded-Proto": "https"}).get_json()

    assert answer == {"url": "https://localhost/api/media/1/content", "id": "1"}


def test_an_answer_that_may_hide_metas_addresses_is_lost(client: FlaskClient, scripted: ScriptedDestination) -> None:
    text = b'{"url":"https://lookaside.fbsbx.com/x","id":' + b"1" * 5000 + b"}"
    scripted.will_answer(200, text, Content_Type="application/json")

    assert client.get(NODE, headers=BOT).status_code == 502


def test_a_redirect_leads_no_client_elsewhere(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(302, b"", Location=f"https://other.test/?access_token={TOKEN}")

    response = client.get(NODE, headers=BOT)

    assert (response.status_code, response.get_json()["error"]["code"]) == (502, 2)
    assert "Location" not in response.headers


def test_a_file_comes_as_it_is(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(200, bytes(range(256)), Content_Type="image/png", Content_Disposition="attachment")

    response = client.get(NODE, headers=BOT)

    assert response.data == bytes(range(256))
    assert (response.headers["Content-Length"], response.headers["Content-Type"]) == ("256", "image/png")
    assert response.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "image/png", "application/vnd.api"])
def test_text_of_any_type_is_passed_on_without_the_token(
    kind: str, client: FlaskClient, scripted: ScriptedDestination
) -> None:
    text = f'{{"t":"{TOKEN}","paging":{{"next":"https://graph.facebook.com/v25.0/1/x?access_token={TOKEN}"}}}}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
    scripted.will_say(f"{head}\r\n{text}".encode())

    assert TOKEN not in client.get(NODE, headers=BOT).text


def test_a_file_is_passed_on_without_the_token(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(200, bytes(70_000) + TOKEN.encode() + bytes(9), Content_Type="image/png")

    answered = client.get(NODE, headers=BOT).data

    assert answered == bytes(70_000) + b"*" * len(TOKEN) + bytes(9)


def test_a_file_that_breaks_off_is_not_taken_for_whole(client: FlaskClient, scripted: ScriptedDestination) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 99\r\n\r\n"
    scripted.will_say(head + b"\x89P", then=ClientConnection.reset)

    response = client.get(NODE, headers=BOT)

    with pytest.raises(TransferBroken):
        response.get_data()


def test_a_file_gives_its_place_back_when_it_was_sent_and_when_its_client_has_gone(
    app: Flask, client: FlaskClient, scripted: ScriptedDestination
) -> None:
    app.extensions[TRANSFERS] = Transfers(1)
    statuses = []

    for is_read in (True, False, True):
        scripted.will_answer(200, bytes(200_000), Content_Type="image/png")
        with client.get(NODE, headers=BOT) as response:
            statuses.append(response.status_code)
            if is_read:
                response.get_data()
            else:
                next(response.iter_encoded())

    assert statuses == [200, 200, 200]


def test_a_call_is_refused_while_as_many_as_may_wait_for_meta(
    app: Flask, client: FlaskClient, scripted: ScriptedDestination
) -> None:
    calls = app.extensions[CALLS] = Transfers(1)
    scripted.will_answer(200, b"{}", Content_Type="application/json")

    with calls.one():
        refused = client.get(NODE, headers=BOT)
    passed = client.get(NODE, headers=BOT)

    error = refused.get_json()["error"]
    assert (refused.status_code, error["code"], error["is_transient"]) == (503, 2, True)
    assert passed.status_code == 200


def test_a_message_that_could_not_wait_for_its_answer_is_not_accepted(app: Flask, client: FlaskClient) -> None:
    app.extensions[LONG_POLLS] = LongPollLimiter(0)

    refused = client.post(f"/api/graph/v25.0/{NUMBER}/messages", json=message("9990000000"), headers=BOT)

    error = refused.get_json()["error"]
    assert (refused.status_code, error["code"], error["is_transient"]) == (503, 2, True)
    assert client.get("/api/messages", headers=BOT).get_json()["items"] == []


def test_an_answer_is_given_though_the_store_fails_after_it(app: Flask, client: FlaskClient) -> None:
    gateway = app.extensions[GATEWAY]
    body = message("+4915112345678")
    accept(gateway, [Submission({**body, "from": NUMBER}, as_sent_to_meta=True, client="bot")])
    settle(gateway.store, reserve(gateway.store, queue=queue_of_number(NUMBER)), accepted("wamid.A="))
    failing = "CREATE TRIGGER t BEFORE DELETE ON idempotency_keys BEGIN SELECT RAISE(ABORT, 'constraint'); END"
    gateway.store.write(lambda connection: connection.exec_driver_sql(failing))

    told = client.post(f"/api/graph/v25.0/{NUMBER}/messages", json=body, headers=BOT)

    assert (told.status_code, told.headers["Idempotency-Replayed"]) == (200, "true")
    assert told.get_json()["messages"] == [{"id": "wamid.A="}]


def test_a_text_that_breaks_off_is_a_lost_answer(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")

    response = client.get(NODE, headers=BOT)

    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (502, 2, False)


def test_a_text_without_end_is_given_up(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.will_answer(200, b"[" * (MAX_TEXT_BYTES + 1), Content_Type="application/json")

    assert client.get(NODE, headers=BOT).status_code == 502


def test_meta_that_cannot_be_reached_is_a_transient_error(client: FlaskClient, scripted: ScriptedDestination) -> None:
    scripted.close()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", scripted.port), 1):
        pass  # what was waiting to be accepted is taken

    response = client.post(NODE, json={"a": 1}, headers=BOT)

    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["is_transient"]) == (503, 2, True)
