"""What `/status`, `/metrics` and the diagnostics show of waiting, failing and dead deliveries."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.job import Dead, Retry
from app.domain.job_result import QueueSignal
from app.domain.timestamps import iso
from app.store import Store
from app.web.openapi import openapi_document
from tests.support.deliveries import claim, numbered, put_deliveries, put_foreign, settle_all, split_into
from tests.support.events import new_event
from tests.support.store import new_receipt
from tests.support.webhooks import bearer


@pytest.fixture
def trouble(store: Store) -> Store:
    """A receipt waits, one is unreadable, an event is foreign, a destination is down, one has dead letters."""
    put_foreign(store, new_event("foreign"))
    split_into(store, unreadable="this is no JSON")
    put_deliveries(store, *numbered(6), to=["crm", "bot"])
    settle_all(store, Dead("gave up"), destination="bot", status=404)
    settle_all(store, Retry(timedelta(hours=1)), error="connection refused", signal=QueueSignal.FAILURE)
    store.receipts.add(new_receipt(b"not looked at yet"))
    return store


def test_status_shows_what_waits_and_why(client: FlaskClient, trouble: Store) -> None:
    status = client.get("/status", headers=bearer()).get_json()

    assert status["receipts"]["unreadable"] == 1
    assert status["receipts"]["lastReceivedAt"] is not None
    assert status["events"] == {"total": 7, "foreign": 1}
    splitting, crm = status["queues"]
    assert (splitting["queue"], splitting["waiting"]) == ("split", 1)
    assert crm == {"queue": "deliver:crm", "waiting": 6, "inFlight": 0, "oldestSeconds": 0.0}
    assert status["deadLetters"] == 6
    assert [(each["name"], each["state"], each["waiting"], each["dead"]) for each in status["destinations"]] == [
        ("crm", "failing", 6, 0),
        ("bot", "active", 0, 6),
    ]
    assert status["destinations"][0]["lastError"] == "connection refused"


def test_status_names_what_needs_a_human(client: FlaskClient, trouble: Store) -> None:
    attention = client.get("/status", headers=bearer()).get_json()["attention"]

    assert [alert["code"] for alert in attention] == [
        "no_worker",
        "receipts_wait",
        "unreadable",
        "failing",
        "dead_letters",
    ]


def test_status_has_exactly_the_documented_form(client: FlaskClient, app: Flask, trouble: Store) -> None:
    document = openapi_document(app)
    schema = document["paths"]["/status"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    jsonschema.validate(
        client.get("/status", headers=bearer()).get_json(), {**schema, "components": document["components"]}
    )


def test_metrics_show_depths_dead_letters_and_breakers_of_the_store(client: FlaskClient, trouble: Store) -> None:
    metrics = client.get("/metrics", headers=bearer()).text.splitlines()

    assert {
        'wats_receipts{state="unreadable"} 1.0',
        "wats_stored_events 7.0",
        "wats_foreign_events 1.0",
        'wats_queue_depth{queue="split",state="waiting"} 1.0',
        'wats_queue_depth{queue="deliver:crm",state="waiting"} 6.0',
        'wats_queue_oldest_seconds{queue="deliver:crm"} 0.0',
        'wats_dead_letters{destination="bot"} 6.0',
        'wats_destination_state{destination="crm",state="failing"} 1.0',
        'wats_destination_state{destination="crm",state="active"} 0.0',
        'wats_destination_state{destination="bot",state="active"} 1.0',
    } <= set(metrics)


def test_metrics_tell_since_when_a_destination_is_paused(client: FlaskClient) -> None:
    client.post("/api/destinations/crm/pause", headers=bearer())
    crm = next(
        each
        for each in client.get("/api/destinations", headers=bearer()).get_json()["items"]
        if each["name"] == "crm"
    )

    metrics = client.get("/metrics", headers=bearer()).text

    [(name, since)] = re.findall(
        r'^wats_destination_paused_timestamp_seconds{destination="(.+)"} (.+)$', metrics, re.M
    )
    assert (name, iso(datetime.fromtimestamp(float(since), UTC))) == ("crm", crm["pausedAt"])


def test_jobs_in_flight_and_waiting_jobs_are_counted_apart(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, *numbered(3))
    claim(store, limit=1)

    crm = client.get("/status", headers=bearer()).get_json()["queues"][1]

    assert (crm["queue"], crm["waiting"], crm["inFlight"]) == ("deliver:crm", 2, 1)


def test_dead_letters_of_a_destination_that_is_gone_still_count(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event(), to=["gone"])
    settle_all(store, Dead("gave up"), destination="gone")

    status = client.get("/status", headers=bearer()).get_json()

    assert status["deadLetters"] == 1
    assert "gone" not in {each["name"] for each in status["destinations"]}
    assert 'wats_dead_letters{destination="gone"} 1.0' in client.get("/metrics", headers=bearer()).text


def test_diagnostics_list_the_queues(client: FlaskClient, trouble: Store) -> None:
    queues = {
        queue["name"]: queue for queue in client.get("/debug/diagnostics", headers=bearer()).get_json()["queues"]
    }

    assert queues["deliver:crm"]["failures"] == 6
    assert queues["deliver:crm"]["openUntil"] is not None
    assert queues["split"]["paused"] is False


def test_every_metric_that_the_operators_guide_names_exists(client: FlaskClient, store: Store) -> None:
    guide = (Path(__file__).parent.parent.parent / "docs" / "monitor.md").read_text()
    store.receipts.add(new_receipt())

    exported = set(re.findall(r"^# HELP (\w+)", client.get("/metrics", headers=bearer()).text, re.MULTILINE))

    assert set(re.findall(r"wats_\w+", guide)) - exported == {
        "wats_url"
    }  # a label, which an operator gives Prometheus
