"""A cursor belongs to one database, and never lies beyond its last event."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update
from werkzeug.test import TestResponse

from app.config import Settings
from app.factory import create_app
from app.gateway import EXTENSION, Gateway
from app.store.tables.schema import consumers, database_identity, events
from tests.support.events import new_event, put_events
from tests.support.store import NOON
from tests.support.webhooks import bearer

READER = bearer("TEST_READER_TOKEN")


def encoded(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def cursor_at(gateway: Gateway, sequence: int, database: str | None = None) -> str:
    return encoded(f"seq_{sequence}@{database or gateway.store.identity().id}")


def pull(client: FlaskClient, **query: Any) -> TestResponse:
    return client.get("/api/events", query_string=query, headers=READER)


def ack(client: FlaskClient, cursor: str) -> TestResponse:
    return client.post("/api/consumers/crm/ack", json={"cursor": cursor}, headers=READER)


def outcomes(client: FlaskClient, cursor: str) -> list[tuple[int, str | None]]:
    """What pulling and acknowledging with this cursor come to."""
    answers = [pull(client, cursor=cursor), ack(client, cursor)]
    return [(answer.status_code, answer.get_json().get("error", {}).get("code")) for answer in answers]


REFUSED = [(400, "invalid_cursor")] * 2
ACCEPTED = [(200, None)] * 2


@pytest.fixture(autouse=True)
def three_events(gateway: Gateway) -> None:
    put_events(gateway.store, *map(new_event, "abc"))


@pytest.mark.parametrize(("sequence", "expected"), [(0, ACCEPTED), (3, ACCEPTED), (4, REFUSED), (10**17, REFUSED)])
def test_a_cursor_beyond_the_last_event_is_refused(
    client: FlaskClient, gateway: Gateway, sequence: int, expected: list[tuple[int, str | None]]
) -> None:
    assert outcomes(client, cursor_at(gateway, sequence)) == expected


def test_a_cursor_of_another_database_is_refused(client: FlaskClient, gateway: Gateway, settings: Settings) -> None:
    other = create_app(settings_beside(settings)).extensions[EXTENSION].store
    other.upgrade_schema()
    other.open()
    foreign = cursor_at(gateway, 1, other.identity().id)
    other.close()

    assert outcomes(client, foreign) == REFUSED


def settings_beside(settings: Settings) -> Settings:
    """The same gateway with another database."""
    return replace(settings, storage=replace(settings.storage, url=f"{settings.storage.url}-other"))


@pytest.mark.parametrize(("of_older_code", "expected"), [(False, REFUSED), (True, ACCEPTED)])
def test_a_cursor_without_its_database_counts_where_older_code_has_given_it(
    client: FlaskClient, gateway: Gateway, of_older_code: bool, expected: list[tuple[int, str | None]]
) -> None:
    gateway.store.write(lambda c: c.execute(update(database_identity).values(has_bare_cursors=of_older_code)))
    gateway.store.close()  # a process reads the row once
    gateway.store.open()

    assert outcomes(client, encoded("seq_2")) == expected
    assert outcomes(client, encoded("seq_0")) == ACCEPTED
    assert outcomes(client, encoded("seq_4")) == REFUSED


def test_a_cursor_outlives_the_last_event(client: FlaskClient, gateway: Gateway) -> None:
    cursor = pull(client).get_json()["nextCursor"]

    gateway.store.write(lambda c: c.execute(events.delete()))

    assert outcomes(client, cursor) == ACCEPTED


def test_after_a_restore_a_cursor_of_a_lost_event_is_refused_though_others_came(
    client: FlaskClient, gateway: Gateway, settings: Settings
) -> None:
    before = pull(client).get_json()["nextCursor"]
    gateway.store.close()
    backup = {file: file.read_bytes() for file in database_files(settings)}
    gateway.store.open()
    put_events(gateway.store, *map(new_event, "de"))
    lost = [pull(client).get_json()["nextCursor"], pull(client, cursor="latest").get_json()["nextCursor"]]
    gateway.store.close()
    for file in database_files(settings):
        file.unlink()
    for file, content in backup.items():
        file.write_bytes(content)
    gateway.store.open()

    put_events(gateway.store, *map(new_event, "fgh"))

    assert [outcomes(client, cursor) for cursor in lost] == [REFUSED] * 2
    assert "a backup was restored" in pull(client, cursor=lost[0]).get_json()["error"]["message"]
    assert outcomes(client, before) == ACCEPTED
    assert [event["data"]["text"] for event in pull(client, cursor=before).get_json()["items"]] == ["f", "g", "h"]


def database_files(settings: Settings) -> list[Path]:
    """The database and what stands beside it, of a store that is closed."""
    return [file for file in settings.data_dir.glob("wats.sqlite3*") if file.is_file()]


def test_an_empty_page_adds_the_mark_that_a_cursor_of_older_code_lacks(client: FlaskClient, gateway: Gateway) -> None:
    cursor = pull(client).get_json()["nextCursor"]

    page = pull(client, cursor=cursor_at(gateway, 3)).get_json()

    assert page == {"items": [], "nextCursor": cursor}
    assert ack(client, cursor_at(gateway, 3)).get_json()["cursor"] == cursor
    assert pull(client, consumer="crm").get_json()["nextCursor"] == cursor


def test_a_consumer_that_lies_ahead_is_refused_and_needs_attention(client: FlaskClient, gateway: Gateway) -> None:
    row = {"name": "crm", "cursor": 900, "updated_at": NOON}
    gateway.store.write(lambda c: c.execute(insert(consumers).values(row)))

    pulled = pull(client, consumer="crm")
    attention = client.get("/status", headers=bearer()).get_json()["attention"]

    assert (pulled.status_code, pulled.get_json()["error"]["code"]) == (400, "invalid_cursor")
    assert "the consumer crm has acknowledged a cursor beyond the last event" in str(attention)
    assert ack(client, cursor_at(gateway, 3)).status_code == 200
    assert "consumer_ahead" not in str(client.get("/status", headers=bearer()).get_json()["attention"])
