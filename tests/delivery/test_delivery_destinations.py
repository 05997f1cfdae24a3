"""The API of destinations: their state, pause and resume."""

from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from app.domain.job import Dead, Done, Retry
from app.domain.job_result import QueueSignal
from app.store import Store
from tests.delivery.conftest import SECRETS
from tests.support.deliveries import claim, numbered, put_deliveries, settle_all
from tests.support.events import new_event
from tests.support.webhooks import bearer

DESTINATIONS = "/api/destinations"
READER = bearer("TEST_READER_TOKEN")


def shown(client: FlaskClient, name: str = "crm") -> dict[str, Any]:
    return dict(client.get(f"{DESTINATIONS}/{name}", headers=READER).get_json())


def test_the_destinations_of_the_profile_are_listed_before_anything_happened(client: FlaskClient) -> None:
    answer = client.get(DESTINATIONS, headers=READER)

    crm, bot = answer.get_json()["items"]
    assert answer.get_json()["nextCursor"] is None
    assert (crm["name"], bot["name"], bot["format"]) == ("crm", "bot", "meta")
    assert crm == {
        "name": "crm",
        "url": "http://127.0.0.1:9/hooks?…",
        "format": "events",
        "state": "active",
        "waiting": 0,
        "dead": 0,
        "lastSuccessAt": None,
        "lastErrorAt": None,
        "oldestUndeliveredAt": None,
        "pausedAt": None,
        "refusals": 0,
        "lastError": None,
    }
    assert shown(client) == crm


def test_neither_a_secret_nor_a_key_in_a_url_is_shown(client: FlaskClient) -> None:
    answer = client.get(DESTINATIONS, headers=READER)

    assert not [value for value in [*SECRETS.values(), "planted"] if value in answer.text]


def test_waiting_and_dead_deliveries_are_counted_for_each_destination(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, *numbered(3), to=["crm", "bot"])
    settle_all(store, Dead("gave up"), status=500, destination="bot", signal=QueueSignal.FAILURE)

    assert (shown(client)["waiting"], shown(client)["dead"]) == (3, 0)
    assert (shown(client, "bot")["waiting"], shown(client, "bot")["dead"]) == (0, 3)


def test_the_last_success_and_the_last_error_are_shown_with_their_times(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event("a"))
    settle_all(store, Done(), status=200, signal=QueueSignal.SUCCESS)
    put_deliveries(store, new_event("b"))
    settle_all(store, Retry(timedelta(hours=1)), error="connection refused", signal=QueueSignal.FAILURE)

    crm = shown(client)

    assert crm["lastError"] == "connection refused"
    assert crm["lastErrorAt"] >= crm["lastSuccessAt"]


def test_failures_in_a_row_make_a_destination_failing(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, *numbered(6))
    settle_all(store, Retry(timedelta(hours=1)), status=500, signal=QueueSignal.FAILURE)

    assert shown(client)["state"] == "failing"


def test_a_410_disables_until_a_human_resumes(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event())
    settle_all(store, Retry(timedelta(hours=12)), status=410, signal=QueueSignal.GONE)
    assert shown(client)["state"] == "disabled"

    answer = client.post(f"{DESTINATIONS}/crm/resume", headers=bearer())

    assert (answer.status_code, answer.get_json()["state"]) == (200, "active")
    assert len(claim(store)) == 1


def test_a_paused_destination_gets_nothing_until_it_is_resumed(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event())

    paused = client.post(f"{DESTINATIONS}/crm/pause", headers=bearer())

    assert (paused.status_code, paused.get_json()["state"]) == (200, "paused")
    assert claim(store) == []
    assert client.post(f"{DESTINATIONS}/crm/resume", headers=bearer()).get_json()["state"] == "active"
    assert len(claim(store)) == 1


def test_a_destination_can_be_paused_before_the_first_delivery(client: FlaskClient, store: Store) -> None:
    client.post(f"{DESTINATIONS}/crm/pause", headers=bearer())
    put_deliveries(store, new_event())

    assert (shown(client)["state"], claim(store)) == ("paused", [])
