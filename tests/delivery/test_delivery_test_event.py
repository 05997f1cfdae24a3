"""The test event of a destination: one signed event, sent at once, and the response."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from app.store import Store
from tests.delivery.conftest import SECRETS
from tests.support.deliveries import put_deliveries
from tests.support.events import new_event
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import bearer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def port(receiver: Receiver) -> int:
    """The destinations are the receiver."""
    return int(receiver.server_port)


Try = Callable[[str], dict[str, Any]]


@pytest.fixture
def send_test_event(client: FlaskClient) -> Try:
    def ask(name: str) -> dict[str, Any]:
        answer = client.post(f"/api/destinations/{name}/test", headers=bearer())
        assert answer.status_code == 200
        return dict(answer.get_json())

    return ask


def test_a_test_event_arrives_signed_and_marked(send_test_event: Try, receiver: Receiver) -> None:
    told = send_test_event("crm")

    [(path, headers, body)] = receiver.received
    event = Webhook(SECRETS["TEST_CRM_SECRET"]).verify(body, {name.lower(): value for name, value in headers.items()})
    assert path == "/hooks?key=planted"
    assert (event["type"], event["data"]["test"]) == ("wats.test", True)
    assert event["id"] == headers["webhook-id"]
    assert isinstance(told.pop("durationMs"), int)
    assert told == {"ok": True, "status": 204, "error": None, "answer": None}


def test_the_meta_format_gets_a_test_event_in_metas_envelope(send_test_event: Try, receiver: Receiver) -> None:
    send_test_event("bot")

    [(_, headers, body)] = receiver.received
    [change] = json.loads(body)["entry"][0]["changes"]
    assert headers[SIGNATURE_HEADER] == signature_of(body, SECRETS["TEST_BOT_SECRET"])
    assert (change["field"], change["value"]["test"]) == ("wats.test", True)


def test_each_test_event_has_a_new_id_and_is_not_stored(
    send_test_event: Try, receiver: Receiver, store: Store
) -> None:
    send_test_event("crm")
    send_test_event("crm")

    first, second = (json.loads(body)["id"] for _, _, body in receiver.received)
    assert first != second
    assert store.events.latest() == 0
    assert store.deliveries.page(limit=10) == []


@pytest.mark.parametrize("status", [301, 404, 410, 500])
def test_a_refusal_is_returned_and_changes_nothing(
    send_test_event: Try, receiver: Receiver, client: FlaskClient, status: int
) -> None:
    receiver.status = status

    told = send_test_event("crm")

    assert (told["ok"], told["status"], told["error"]) == (False, status, None)
    assert client.get("/api/destinations/crm", headers=bearer()).get_json()["state"] == "active"
    assert len(receiver.received) == 1


def test_a_timeout_is_returned_as_an_error(send_test_event: Try, receiver: Receiver) -> None:
    receiver.shutdown()
    receiver.server_close()

    told = send_test_event("crm")

    assert (told["ok"], told["status"], told["error"]) == (False, None, "connection refused")


def test_a_paused_destination_is_tested_too(
    send_test_event: Try, receiver: Receiver, client: FlaskClient, store: Store
) -> None:
    put_deliveries(store, new_event())
    client.post("/api/destinations/crm/pause", headers=bearer())

    assert send_test_event("crm")["ok"] is True
    assert [json.loads(body)["type"] for _, _, body in receiver.received] == ["wats.test"]
