"""The webhooks that `webhook send` posts: every example, with ids, times and names of this use."""

import hashlib
from datetime import UTC, datetime

import pytest

from app.cli import CommandFailed
from app.cli.sample_types import types_like
from app.cli.sample_webhooks import NotInSample, Sample, check_sample, webhook_of
from app.cli.webhook import checked_types
from app.domain.event import NewEvent
from app.domain.meta.parse import split
from app.web.examples import CHANGES
from app.web.examples.changes import PHONE

AT = 1_795_000_000
NOW = datetime.fromtimestamp(AT, UTC)


def events_of(body: bytes) -> list[NewEvent]:
    return split(body, sha256=hashlib.sha256(body).digest(), received_at=NOW)


def sample(customer: str | None = None, text: str | None = None) -> Sample:
    return Sample("1112223334", "5556667778", customer, text)


def test_one_webhook_may_have_every_example() -> None:
    events = events_of(webhook_of(sample(), types_like("*"), first=0, batch=1, at=AT))

    assert sorted(event.type for event in events) == sorted(CHANGES)
    assert {event.waba_id for event in events} == {"1112223334"}
    assert {event.phone_number_id for event in events} == {"5556667778", None}


@pytest.mark.parametrize("pattern", ["message.*", "*"])
def test_each_update_is_an_event_of_its_own(pattern: str) -> None:
    one, types = sample(), types_like(pattern)
    bodies = [webhook_of(one, types, first=n * 3 * len(types), batch=3, at=AT + n * 1000) for n in range(2)]

    ids = [event.id for body in bodies for event in events_of(body)]

    assert len(set(ids)) == len(ids) == 6 * len(types)


def test_the_updates_of_one_number_share_a_value_as_metas_do() -> None:
    body = webhook_of(sample(), ["message.text"], first=0, batch=2, at=AT)

    assert body.count(b'"metadata"') == 1


def test_the_customer_and_the_text_stand_in_the_place_of_the_examples() -> None:
    [event] = events_of(webhook_of(sample("4930123", "Grüße"), ["message.text"], first=0, batch=1, at=AT))

    assert (event.contact.wa_id, event.raw["text"]["body"], event.occurred_at) == ("4930123", "Grüße", NOW)
    assert event.contact.user_id is not None
    assert event.contact.user_id.startswith("US.")


def test_the_examples_number_is_one_customer_whether_it_is_given_or_not() -> None:
    [given], [not_given] = (
        events_of(webhook_of(one, ["message.text"], first=0, batch=1, at=AT)) for one in (sample(PHONE), sample())
    )

    assert given.contact == not_given.contact


@pytest.mark.parametrize(
    ("one", "type_", "told"),
    [
        (sample("4930123"), "template.status", "names no customer's phone number"),
        (sample(text="hi"), "message.location", "has no text"),
    ],
)
def test_what_the_example_has_no_place_for_is_refused(one: Sample, type_: str, told: str) -> None:
    with pytest.raises(NotInSample, match=told):
        check_sample(one, type_)
    with pytest.raises(CommandFailed, match=told):
        checked_types(type_, one)


def test_a_type_without_an_example_is_refused_with_the_way_to_the_list() -> None:
    with pytest.raises(CommandFailed, match="--list"):
        checked_types("message.song", sample())
