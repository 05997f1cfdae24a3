"""Meta's two requests: each check of a webhook in its order, and the handshake."""

import io
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.gateway import Gateway
from app.web.body_budget import EXTENSION, MAX_HELD_BYTES, BodyBudget
from tests.support.live import LIVE_ENVIRONMENT
from tests.support.webhooks import OLD_APP_SECRET, PATH, body_of, signed

SIGNATURE = "sha256=" + "0" * 64
LIMIT = 4_194_304


def post(client: FlaskClient, body: bytes, headers: dict[str, str] | None = None) -> TestResponse:
    return client.post(PATH, data=body, headers=signed(body) if headers is None else headers)


def code_of(answer: TestResponse) -> str:
    return answer.get_json()["error"]["code"]


def stored_bodies(gateway: Gateway) -> list[bytes | None]:
    receipts = gateway.store.receipts.page(state=None, before=None, limit=100)
    return [gateway.store.receipts.body(receipt.id) for receipt in receipts]


def test_a_signed_webhook_is_stored_byte_for_byte(client: FlaskClient, gateway: Gateway) -> None:
    body = body_of("Grüße")

    answer = post(client, body)

    assert (answer.status_code, answer.get_json()) == (200, {"status": "accepted"})
    assert stored_bodies(gateway) == [body]


def test_the_same_bytes_again_raise_the_counter_of_the_first(client: FlaskClient, gateway: Gateway) -> None:
    body = body_of()
    post(client, body)

    again = post(client, body)

    assert (again.status_code, again.get_json()) == (200, {"status": "duplicate"})
    [receipt] = gateway.store.receipts.page(state=None, before=None, limit=10)
    assert receipt.duplicates == 1


def test_the_previous_secret_is_accepted_while_it_rotates(client: FlaskClient, gateway: Gateway) -> None:
    body = body_of()

    answer = post(client, body, signed(body, OLD_APP_SECRET))

    assert answer.status_code == 200
    [receipt] = gateway.store.receipts.page(state=None, before=None, limit=10)
    assert receipt.signed_with == "previous"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "missing_signature"),
        ({"X-Hub-Signature": "sha1=" + "0" * 40}, 401, "missing_signature"),
        ({"X-Hub-Signature-256": ""}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": "sha256="}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": "0" * 64}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": SIGNATURE.upper()}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": "sha256=" + "A" * 64}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": SIGNATURE + "0"}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": SIGNATURE[:-1]}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": f"{SIGNATURE},{SIGNATURE}"}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": f"{SIGNATURE}, {SIGNATURE}"}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": f"{SIGNATURE};"}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": "sha512=" + "0" * 128}, 400, "invalid_signature_format"),
        ({"X-Hub-Signature-256": SIGNATURE}, 401, "signature_mismatch"),
    ],
)
def test_a_bad_signature_header_is_refused_and_nothing_stored(
    client: FlaskClient, gateway: Gateway, headers: dict[str, str], status: int, code: str
) -> None:
    answer = post(client, body_of(), headers)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert stored_bodies(gateway) == []


def test_a_signature_of_other_bytes_is_refused(client: FlaskClient, gateway: Gateway) -> None:
    answer = post(client, body_of("bye"), signed(body_of("hi")))

    assert (answer.status_code, code_of(answer)) == (401, "signature_mismatch")
    assert stored_bodies(gateway) == []


def test_reserialised_json_has_another_signature(client: FlaskClient) -> None:
    body = body_of("é")

    answer = post(client, json.dumps(json.loads(body), ensure_ascii=False).encode(), signed(body))

    assert code_of(answer) == "signature_mismatch"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"not json",
        b'{"a":"\x00"}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b"\xff\xfe\x80",
        b"[" * 100_000,
        b'{"n":' + b"9" * 5000 + b"}",
        b"x" * 3_000_000,
        b"\x1f\x8b\x08" + b"\x00" * 50,
        "{} ".encode("utf-16"),
    ],
    ids=lambda body: repr(bytes(body[:12])),
)
def test_every_signed_body_is_kept_even_if_it_cannot_be_parsed(
    client: FlaskClient, gateway: Gateway, body: bytes
) -> None:
    answer = post(client, body)

    assert answer.status_code == 200
    assert stored_bodies(gateway) == [body]


def test_a_body_of_exactly_the_limit_is_accepted(client: FlaskClient) -> None:
    assert post(client, b"x" * LIMIT).status_code == 200


def test_a_body_declared_over_the_limit_is_refused_before_its_signature_is_checked(
    client: FlaskClient,
) -> None:
    answer = post(client, b"x" * (LIMIT + 1), {})

    assert (answer.status_code, code_of(answer)) == (413, "body_too_large")


def test_a_chunked_body_over_the_limit_is_refused_and_not_cut_short(client: FlaskClient, gateway: Gateway) -> None:
    body = b"x" * (LIMIT + 1)

    answer = client.post(
        PATH,
        input_stream=io.BytesIO(body),
        headers={**signed(body[:LIMIT]), "Transfer-Encoding": "chunked"},
    )

    assert (answer.status_code, code_of(answer)) == (413, "body_too_large")
    assert stored_bodies(gateway) == []


def test_a_body_shorter_than_declared_is_refused(client: FlaskClient) -> None:
    body = body_of()

    answer = client.post(
        PATH, data=body, headers=signed(body), environ_overrides={"CONTENT_LENGTH": str(len(body) + 1)}
    )

    assert (answer.status_code, code_of(answer)) == (400, "invalid_body")


class BrokenStream:
    """A connection that is reset while its body is read."""

    def read(self, size: int) -> bytes:
        raise ConnectionResetError


def test_a_body_that_is_cut_short_is_refused(client: FlaskClient) -> None:
    broken = {"wsgi.input": BrokenStream(), "CONTENT_LENGTH": "1"}

    answer = client.post(PATH, headers=signed(b"x"), environ_overrides=broken)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_body")


def test_many_bodies_at_once_are_refused_before_they_fill_the_memory(app: Flask, client: FlaskClient) -> None:
    budget: BodyBudget = app.extensions[EXTENSION]
    arrived = budget.begin({})
    budget.take(arrived, MAX_HELD_BYTES - 10_000)
    budget.end(arrived)

    refused = post(client, b"x" * 10_001)
    accepted = post(client, b"x" * 10_000)

    assert (refused.status_code, code_of(refused), refused.headers["Retry-After"]) == (503, "busy", "1")
    assert accepted.status_code == 200
    assert budget.held == MAX_HELD_BYTES - 10_000


def test_an_unavailable_store_is_503_so_that_meta_retries(client: FlaskClient, gateway: Gateway) -> None:
    gateway.store.close()

    answer = post(client, body_of())

    assert (answer.status_code, code_of(answer)) == (503, "unavailable")


HANDSHAKE = {
    "hub.mode": "subscribe",
    "hub.verify_token": LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"],
    "hub.challenge": "1158201444",
}


def test_the_handshake_returns_the_challenge_as_text(client: FlaskClient) -> None:
    answer = client.get(PATH, query_string=HANDSHAKE)

    assert (answer.status_code, answer.text, answer.mimetype) == (200, "1158201444", "text/plain")


def test_a_challenge_is_never_answered_as_html(client: FlaskClient) -> None:
    answer = client.get(PATH, query_string={**HANDSHAKE, "hub.challenge": "<script>alert(1)</script>"})

    assert answer.mimetype == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"hub.mode": "unsubscribe"}, 400, "invalid_handshake"),
        ({"hub.mode": ""}, 400, "invalid_handshake"),
        ({"hub.mode": None}, 400, "invalid_handshake"),
        ({"hub.challenge": None}, 400, "invalid_handshake"),
        ({"hub.challenge": ""}, 400, "invalid_handshake"),
        ({"hub.verify_token": "wrong"}, 403, "verify_token_mismatch"),
        ({"hub.verify_token": "wröng"}, 403, "verify_token_mismatch"),
        ({"hub.verify_token": ""}, 403, "verify_token_mismatch"),
        ({"hub.verify_token": None}, 403, "verify_token_mismatch"),
        ({"hub.verify_token": [HANDSHAKE["hub.verify_token"], "x"]}, 400, "invalid_handshake"),
        ({"hub.verify_token": [HANDSHAKE["hub.verify_token"]] * 2}, 400, "invalid_handshake"),
        ({"hub.mode": ["subscribe", "subscribe"]}, 400, "invalid_handshake"),
        ({"hub.challenge": ["1", "2"]}, 400, "invalid_handshake"),
    ],
)
def test_a_bad_handshake_is_refused(client: FlaskClient, change: dict[str, object], status: int, code: str) -> None:
    query = {name: value for name, value in {**HANDSHAKE, **change}.items() if value is not None}

    answer = client.get(PATH, query_string=query)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert HANDSHAKE["hub.verify_token"] not in answer.text
