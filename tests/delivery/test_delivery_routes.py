"""The API of deliveries: list, show and replay them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.job import Dead, Done, Retry
from app.store import Store
from tests.support.deliveries import claim, numbered, put_deliveries, put_foreign, settle_all
from tests.support.events import event_id, new_event
from tests.support.webhooks import bearer

DELIVERIES = "/api/deliveries"
REPLAY = f"{DELIVERIES}/replay"
READER = bearer("TEST_READER_TOKEN")


def listed(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"{DELIVERIES}?{query}", headers=READER)
    assert answer.status_code == 200
    return list(answer.get_json()["items"])


def replay(client: FlaskClient, **selection: Any) -> TestResponse:
    return client.post(REPLAY, json=selection, headers=bearer())


def test_a_delivery_is_shown_in_the_published_form(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event("hi"))
    settle_all(store, Dead("gave up"), status=500, error="HTTP 500")

    [delivery] = listed(client)

    assert client.get(f"{DELIVERIES}/{delivery['id']}", headers=READER).get_json() == delivery
    assert delivery.pop("id").startswith("dlv_")
    assert delivery == {
        "eventId": event_id("hi"),
        "destination": "crm",
        "state": "dead",
        "attempts": [
            {"at": "2026-01-02T12:00:00.123Z", "status": 500, "error": "HTTP 500", "durationMs": 12, "answer": None}
        ],
        "nextAttemptAt": None,
    }


def test_deliveries_are_filtered_by_state_destination_and_event(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event("a"), to=["crm", "bot"])
    settle_all(store, Done(), destination="crm", status=200)
    put_deliveries(store, new_event("b"))
    claim(store, limit=1)

    assert {each["destination"] for each in listed(client, f"event={event_id('a')}")} == {"crm", "bot"}
    assert [each["eventId"] for each in listed(client, "state=delivered")] == [event_id("a")]
    assert [each["eventId"] for each in listed(client, "state=in_flight")] == [event_id("b")]
    assert [each["destination"] for each in listed(client, "state=waiting")] == ["bot"]
    assert len(listed(client, "destination=crm")) == 2
    assert listed(client, "destination=crm&state=dead") == []
    assert listed(client, f"event={event_id('unknown')}") == []


def test_pages_follow_each_other_from_the_newest_to_the_oldest(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, *numbered(5))
    seen: list[str] = []
    cursor: str | None = ""

    while cursor is not None:
        query = "limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = client.get(f"{DELIVERIES}?{query}", headers=READER).get_json()
        seen += [each["eventId"] for each in page["items"]]
        cursor = page["nextCursor"]

    assert seen == [event_id(number) for number in reversed(range(5))]


def test_a_waiting_delivery_shows_its_next_attempt(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event())
    settle_all(store, Retry(timedelta(hours=1)), error="timed out")

    [delivery] = listed(client)

    assert (delivery["state"], delivery["attempts"][0]["error"]) == ("waiting", "timed out")
    assert delivery["nextAttemptAt"].endswith("Z")


def test_a_dead_delivery_is_replayed(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event())
    settle_all(store, Dead("gave up"), status=500)
    [dead] = listed(client)

    answer = client.post(f"{DELIVERIES}/{dead['id']}/replay", headers=bearer())

    assert (answer.status_code, answer.get_json()["state"]) == (202, "waiting")
    assert answer.get_json()["eventId"] == dead["eventId"]
    assert len(claim(store)) == 1


def test_a_replay_does_not_double_a_delivery_that_waits(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event())
    [waiting] = listed(client)

    answer = client.post(f"{DELIVERIES}/{waiting['id']}/replay", headers=bearer())

    assert (answer.status_code, answer.get_json()["state"]) == (202, "waiting")
    assert len(claim(store)) == 1


def test_a_delivery_to_a_destination_that_left_the_profile_is_not_replayed(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event(), to=["former"])
    [former] = listed(client)

    answer = client.post(f"{DELIVERIES}/{former['id']}/replay", headers=bearer())

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "unknown_destination")
    assert "'former'" in answer.get_json()["error"]["message"]


def test_a_misspelt_filter_is_refused(client: FlaskClient) -> None:
    answer = client.get(f"{DELIVERIES}?stat=dead", headers=READER)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_parameter")
    assert "state, destination, event, since, until, cursor, limit" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize("path", [REPLAY, f"{DELIVERIES}/discard"])
def test_a_misspelt_destination_is_refused_with_the_nearest_one(client: FlaskClient, path: str) -> None:
    in_query = client.get(f"{DELIVERIES}?destination=cmr", headers=READER)
    in_body = client.post(path, json={"destination": "cmr"}, headers=bearer())

    expected = "No destination of the profile has this name; did you mean crm?"
    assert (in_query.status_code, in_query.get_json()["error"]["message"]) == (400, f"destination: {expected}")
    assert in_body.status_code == 422
    assert in_body.get_json()["error"]["details"]["fields"] == [{"pointer": "/destination", "message": expected}]


def test_the_deliveries_to_a_destination_that_left_the_profile_are_still_listed_and_discarded(
    client: FlaskClient, store: Store
) -> None:
    put_deliveries(store, new_event(), to=["gone"])
    settle_all(store, Dead("gave up"), destination="gone")

    assert len(listed(client, "destination=gone")) == 1
    discarded = client.post(f"{DELIVERIES}/discard", json={"destination": "gone"}, headers=bearer())
    assert discarded.get_json()["discarded"] == 1


def test_a_new_destination_gets_the_events_that_it_never_had_once(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event("a"), new_event("b", kind="call.connect"), to=["crm"])
    settle_all(store, Done(), status=200)
    chosen = {"destination": "bot", "includeMissing": True, "types": ["message.*"]}

    before = replay(client, destination="bot").get_json()["replayed"]
    counted = replay(client, **chosen, dryRun=True).get_json()["replayed"]
    first, second = (replay(client, **chosen).get_json()["replayed"] for _ in range(2))

    assert (before, counted, first, second) == (0, 1, 1, 0)
    assert [each["eventId"] for each in listed(client, "destination=bot&state=waiting")] == [event_id("a")]
    assert len(claim(store, "bot")) == 1
    assert claim(store) == []


def test_a_selection_replays_only_what_it_names(client: FlaskClient, store: Store) -> None:
    put_deliveries(
        store, new_event("a", kind="message.text"), new_event("b", kind="message.image"), to=["crm", "bot"]
    )
    settle_all(store, Dead("gave up"), destination="crm")
    settle_all(store, Dead("gave up"), destination="bot")

    answer = replay(client, destination="crm", types=["message.t*"], state="dead", since="2026-01-02T13:00:00+01:00")

    assert (answer.status_code, answer.get_json()["replayed"], answer.get_json()["nextCursor"]) == (202, 1, None)
    assert [each["eventId"] for each in listed(client, "state=waiting")] == [event_id("a")]


@pytest.mark.parametrize(
    ("span", "replayed"),
    [
        ({"since": "2026-01-02T12:00:00Z"}, 1),
        ({"since": "2026-01-02T12:00:01Z"}, 0),
        ({"until": "2026-01-02T12:00:00Z"}, 0),
        ({"until": "2026-01-02T13:00:01+01:00"}, 1),
        ({"since": "0001-01-02T00:00:00Z", "until": "9999-12-31T00:00:00Z"}, 1),
    ],
)
def test_a_range_of_time_is_that_of_arrival(
    client: FlaskClient, store: Store, span: dict[str, str], replayed: int
) -> None:
    put_deliveries(store, new_event())
    settle_all(store, Dead("gave up"))

    assert replay(client, **span).get_json()["replayed"] == replayed


def test_a_long_replay_takes_bounded_steps(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, *numbered(501))
    settle_all(store, Dead("gave up"))

    counted = replay(client, dryRun=True).get_json()
    first = replay(client).get_json()
    second = replay(client, cursor=first["nextCursor"]).get_json()

    assert counted == first
    assert (first["replayed"], first["seen"], first["left"]) == (500, 500, 1)
    assert (second["replayed"], second["left"], second["nextCursor"]) == (1, 0, None)
    assert len(claim(store)) == 501


def test_an_event_of_another_account_stays_foreign(client: FlaskClient, store: Store) -> None:
    put_foreign(store, replace(new_event("theirs"), waba_id="5555555555"))

    answer = replay(client)

    assert answer.get_json()["replayed"] == 0
    assert listed(client) == []


def test_an_event_that_was_foreign_is_delivered_once_its_number_is_ours(client: FlaskClient, store: Store) -> None:
    put_foreign(store, new_event("late"))

    counted = replay(client, dryRun=True).get_json()["replayed"]
    answer = replay(client)

    assert (counted, answer.get_json()["replayed"]) == (2, 2)
    assert {each["destination"] for each in listed(client, f"event={event_id('late')}")} == {"crm", "bot"}


def test_the_body_of_an_event_is_the_one_that_a_destination_gets(client: FlaskClient, store: Store) -> None:
    put_deliveries(store, new_event("hi"))
    path = f"/api/events/{event_id('hi')}/body"

    ours, metas = client.get(path, headers=READER), client.get(f"{path}?format=meta", headers=READER)

    assert ours.get_json(force=True) == client.get(path.removesuffix("/body"), headers=READER).get_json()
    assert ours.data.startswith(b'{"version":')
    assert metas.get_json(force=True)["object"] == "whatsapp_business_account"
    assert client.get(f"{path}?format=xml", headers=READER).get_json()["error"]["code"] == "invalid_parameter"
    assert client.get("/api/events/evt_1/body", headers=READER).status_code == 404
