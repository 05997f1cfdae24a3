"""An event as JSON, and globs over event types."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.event import Contact, Event, type_matches
from app.domain.event_json import event_json
from tests.support.events import new_event

RECEIVED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def event() -> Event:
    return Event(**vars(new_event("hi")), sequence=7, received_at=RECEIVED_AT, receipt_id="rcp_3", foreign=True)


def test_an_event_has_the_published_shape() -> None:
    document = event_json(event())

    assert document == {
        "version": 1,
        "id": event().id,
        "type": "message.text",
        "sequence": 7,
        "occurredAt": "2026-01-02T12:00:00.123Z",
        "receivedAt": "2026-01-02T03:04:05.678Z",
        "receiptId": "rcp_3",
        "wabaId": "1234567890",
        "phoneNumberId": "9876543210",
        "foreign": True,
        "contact": {"waId": "4915112345678"},
        "data": {"text": "hi"},
        "raw": {"id": "wamid.hi", "type": "text", "text": {"body": "hi"}},
    }


def test_a_contact_has_only_the_fields_that_meta_sent() -> None:
    full = Contact("49151", "DE.1", "DE.ENT.1", "ada", "Ada")

    assert event_json(replace(event(), contact=Contact()))["contact"] == {}
    assert event_json(replace(event(), contact=full))["contact"] == {
        "waId": "49151",
        "userId": "DE.1",
        "parentUserId": "DE.ENT.1",
        "username": "ada",
        "profileName": "Ada",
    }


def test_characters_outside_of_utf_8_survive_as_json_escapes() -> None:
    odd = replace(event(), raw={"text": "\x00\ud800"})

    assert json.loads(json.dumps(event_json(odd)))["raw"] == {"text": "\x00\ud800"}


def test_a_glob_matches_types() -> None:
    matching = [
        glob
        for glob in ("*", "message.*", "message.t?xt", "*text", "message", "Message.*")
        if type_matches("message.text", [glob])
    ]

    assert matching == ["*", "message.*", "message.t?xt", "*text"]
    assert not type_matches("message.text", [])
