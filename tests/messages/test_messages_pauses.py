"""The API of scopes in which nothing is sent: what is paused is listed with its cure, and resumed by hand."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from app.domain.meta.graph_errors import ErrorClass
from app.domain.scope_pause import ScopePause
from app.gateway import Gateway
from app.store.tables.scopes import put_scope
from tests.support.messages import NUMBER
from tests.support.webhooks import bearer

PAUSES = "/api/sending/pauses"
READER, OPERATOR = bearer("TEST_READER_TOKEN"), bearer("TEST_SERVICE_TOKEN")
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
SCOPE = f"number:{NUMBER}"


@pytest.fixture
def paused(gateway: Gateway) -> None:
    """Pause a number until a human resumes it."""
    pause = ScopePause(SCOPE, ErrorClass.STOPPED, 131045, "131045: not registered", NOON, None, 1)
    gateway.store.write(lambda c: put_scope(c, pause))


def test_what_is_paused_is_listed_with_its_cure(client: FlaskClient, paused: None) -> None:
    answer = client.get(PAUSES, headers=READER)

    assert answer.get_json() == {
        "items": [
            {
                "scope": SCOPE,
                "class": "stopped",
                "code": 131045,
                "reason": "131045: not registered; register the number again: POST /{phone number id}/register",
                "since": "2026-01-02T12:00:00.000Z",
                "until": None,
            }
        ],
        "nextCursor": None,
    }


def test_the_cure_is_whole_behind_the_longest_text_of_meta(client: FlaskClient, gateway: Gateway) -> None:
    expired = (
        "190/463: Error validating access token: Session has expired on Tuesday, 24-Nov-26 09:00:00 PST."
        " The current time is Friday, 27-Nov-26 09:00:00 PST."
    )
    pause = ScopePause("app", ErrorClass.STOPPED, 190, expired + "x" * 100, NOON, None, 1)
    gateway.store.write(lambda c: put_scope(c, pause))

    [listed] = client.get(PAUSES, headers=READER).get_json()["items"]

    assert listed["reason"].startswith(expired)
    assert listed["reason"].endswith(
        "; give `auth.accessToken` (TEST_ACCESS_TOKEN) a valid token, and restart: this one is expired, revoked"
        " or of another app"
    )


def test_a_queued_message_tells_what_holds_it_back(client: FlaskClient, gateway: Gateway) -> None:
    sent = client.post("/api/messages/text", json={"to": "+4915112345678", "text": "hi"}, headers=OPERATOR).get_json()
    scope = f"number:{sent['phoneNumberId']}"
    pause = ScopePause(scope, ErrorClass.STOPPED, 131045, "131045: not registered", NOON, None, 1)
    gateway.store.write(lambda c: put_scope(c, pause))

    shown = client.get(f"/api/messages/{sent['id']}", headers=READER).get_json()
    [listed] = client.get("/api/messages", headers=READER).get_json()["items"]

    assert shown["heldBy"] == {
        "scope": scope,
        "reason": "131045: not registered; register the number again: POST /{phone number id}/register",
        "since": "2026-01-02T12:00:00.000Z",
        "until": None,
    }
    assert listed["heldBy"] == shown["heldBy"]


def test_a_message_that_waits_for_its_turn_only_is_held_by_nothing(client: FlaskClient) -> None:
    sent = client.post("/api/messages/text", json={"to": "+4915112345678", "text": "hi"}, headers=OPERATOR).get_json()

    assert "heldBy" not in client.get(f"/api/messages/{sent['id']}", headers=READER).get_json()


def test_a_resumed_scope_is_paused_no_more(client: FlaskClient, paused: None) -> None:
    resumed = client.post(f"{PAUSES}/{SCOPE}/resume", headers=OPERATOR)

    assert (resumed.status_code, resumed.get_json()["scope"]) == (200, SCOPE)
    assert client.get(PAUSES, headers=READER).get_json()["items"] == []


def test_a_scope_that_is_not_paused_is_not_found(client: FlaskClient) -> None:
    for scope in ("app", "%00", "x" * 200):
        answer = client.post(f"{PAUSES}/{scope}/resume", headers=OPERATOR)

        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


def test_a_reader_resumes_nothing(client: FlaskClient, paused: None) -> None:
    assert client.post(f"{PAUSES}/{SCOPE}/resume", headers=READER).status_code == 403
    assert len(client.get(PAUSES, headers=READER).get_json()["items"]) == 1
