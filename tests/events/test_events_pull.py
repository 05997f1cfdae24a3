"""Pulling events over HTTP, page by page and with a long poll."""

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.event_filter import EVERY_EVENT
from app.domain.event_json import event_json
from app.events.pull import LongPollLimiter, PullRequest, pull
from app.gateway import Gateway
from tests.support.events import event_id, new_event, put_events
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import bearer

EVENTS = "/api/events"


def get_page(client: FlaskClient, query: str = "") -> TestResponse:
    return client.get(f"{EVENTS}?{query}", headers=bearer())


def texts(page: Any) -> list[str]:
    return [event["data"]["text"] for event in page["items"]]


def follow(client: FlaskClient, query: str) -> list[str]:
    """Return every event that a reader gets by following nextCursor to the first empty page."""
    read, cursor = [], ""
    while page := get_page(client, f"{query}{cursor}").get_json():
        if not page["items"]:
            return read
        read += texts(page)
        cursor = f"&cursor={page['nextCursor']}"
    return read


def test_an_event_is_returned_as_it_is_pushed(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, new_event("hi", raw={"odd": "\x00\ud800", "number": 12345678901234567890}))
    event = gateway.store.events.get(event_id("hi"))
    assert event is not None

    single = client.get(f"{EVENTS}/{event_id('hi')}", headers=bearer()).get_json()
    listed = get_page(client).get_json()["items"]

    assert single == event_json(event)
    assert listed == [event_json(event)]


@pytest.mark.parametrize("unknown", [event_id("other"), "evt_1", "x", "%00", "evt_" + "A" * 32])
def test_an_unknown_event_is_not_found(client: FlaskClient, unknown: str) -> None:
    answer = client.get(f"{EVENTS}/{unknown}", headers=bearer())

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_follow_each_other_from_the_oldest_to_the_newest(
    client: FlaskClient, gateway: Gateway, limit: int
) -> None:
    put_events(gateway.store, *map(new_event, "abcdefg"))

    assert follow(client, f"limit={limit}") == list("abcdefg")


def test_an_empty_page_returns_the_cursor_of_the_request(client: FlaskClient, gateway: Gateway) -> None:
    start = get_page(client).get_json()
    put_events(gateway.store, new_event("a"))
    end = get_page(client).get_json()["nextCursor"]

    beyond = get_page(client, f"cursor={end}").get_json()
    from_start = get_page(client, f"cursor={start['nextCursor']}").get_json()

    assert start["items"] == []
    assert beyond == {"items": [], "nextCursor": end}
    assert texts(from_start) == ["a"]


def test_an_empty_page_of_a_filter_returns_the_cursor_of_the_request(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, new_event("a"), new_event("b", kind="call.connect"))
    cursor = get_page(client, "limit=1").get_json()["nextCursor"]

    page = get_page(client, f"cursor={cursor}&types=message.*").get_json()

    assert page == {"items": [], "nextCursor": cursor}


def test_latest_starts_at_new_events(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, new_event("before"))
    page = get_page(client, "cursor=latest").get_json()
    put_events(gateway.store, new_event("after"))

    assert page["items"] == []
    assert texts(get_page(client, f"cursor={page['nextCursor']}").get_json()) == ["after"]


def test_events_are_filtered_by_type(client: FlaskClient, gateway: Gateway) -> None:
    kinds = ("message.text", "call.connect", "message.image", "unknown.x")
    put_events(gateway.store, *[new_event(kind, kind=kind) for kind in kinds])

    assert follow(client, "limit=1&types=message.*,call.connect") == ["message.text", "call.connect", "message.image"]
    assert follow(client, "types=*") == list(kinds)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("cursor=nonsense", "invalid_cursor"),
        ("cursor=", "invalid_cursor"),
        ("cursor=%00", "invalid_cursor"),
        ("cursor=cmNwXzE", "invalid_cursor"),  # rcp_1: of another list
        ("cursor=c2VxXy0x", "invalid_cursor"),  # seq_-1
        ("cursor=c2VxXzk5OTk5OTk5OTk5OTk5OTk5OTk5", "invalid_cursor"),  # seq_99999999999999999999
        ("cursor=c2VxXzE&consumer=crm", "invalid_parameter"),
        ("cursor=latest&consumer=crm", "invalid_parameter"),
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=1e1", "invalid_limit"),
        ("wait=26", "invalid_parameter"),
        ("wait=-1", "invalid_parameter"),
        ("wait=0.5", "invalid_parameter"),
        ("wait=", "invalid_parameter"),
        ("wait=%D9%A3", "invalid_parameter"),
        ("types=", "invalid_parameter"),
        ("types=a,,b", "invalid_parameter"),
        ("types=[a-z]*", "invalid_parameter"),
        ("types=%00", "invalid_parameter"),
        ("types=a%20b", "invalid_parameter"),
        ("types=" + "a" * 101, "invalid_parameter"),
        ("types=" + ",".join("a" * 51), "invalid_parameter"),
        ("consumer=", "invalid_parameter"),
        ("consumer=%00", "invalid_parameter"),
        ("consumer=a/b", "invalid_parameter"),
        ("consumer=.", "invalid_parameter"),
        ("consumer=" + "a" * 101, "invalid_parameter"),
    ],
)
def test_an_invalid_query_is_refused(client: FlaskClient, query: str, code: str) -> None:
    answer = get_page(client, query)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("glob", ["*" * 100, "*a" * 50, "?" * 100])
def test_a_glob_of_many_wildcards_is_answered(client: FlaskClient, gateway: Gateway, glob: str) -> None:
    put_events(gateway.store, new_event(kind="a" * 100))

    assert get_page(client, f"types={glob}").status_code == 200


def test_a_long_poll_is_answered_when_an_event_comes(client: FlaskClient, gateway: Gateway) -> None:
    later = threading.Timer(0.3, put_events, (gateway.store, new_event("late")))
    later.start()

    page = get_page(client, "wait=25").get_json()

    later.join()
    assert texts(page) == ["late"]


def test_a_long_poll_without_an_event_gets_an_empty_page(client: FlaskClient, gateway: Gateway) -> None:
    put_events(gateway.store, new_event("of another type"))
    cursor = get_page(client, "cursor=latest").get_json()["nextCursor"]

    page = get_page(client, "wait=1&types=call.*&cursor=" + cursor).get_json()

    assert page == {"items": [], "nextCursor": cursor}


def test_a_long_poll_beyond_the_maximum_is_answered_at_once(gateway: Gateway) -> None:
    limiter = LongPollLimiter(max_waiting=1)
    request = PullRequest(after=0, chosen=EVERY_EVENT, limit=1, wait=10 * round(DEADLINE_SECONDS))
    late = threading.Timer(DEADLINE_SECONDS, put_events, (gateway.store, new_event("late")))
    late.start()

    with limiter.slot():
        without_slot = pull(gateway.store, request, limiter)

    late.cancel()
    put_events(gateway.store, new_event("now"))
    with_slot = pull(gateway.store, request, limiter)
    assert (len(without_slot), len(with_slot)) == (0, 1)


@pytest.mark.parametrize("path", [EVENTS, f"{EVENTS}/{event_id('x')}", "/api/consumers"])
def test_reading_events_needs_the_scope_read(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer("TEST_READER_TOKEN")).status_code in (200, 404)


def test_the_backoff_of_a_long_poll_grows_with_the_number_of_long_polls() -> None:
    limiter = LongPollLimiter()
    with limiter.slot():
        of_one = limiter.backoff_seconds

        with limiter.slot(), limiter.slot():
            of_three = limiter.backoff_seconds

    assert (of_three, limiter.backoff_seconds) == (3 * of_one, 0)
