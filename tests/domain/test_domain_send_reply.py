"""Meta's answer to a POST: only a message id is an acceptance, only an error of the Graph API is a refusal."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.meta.graph_errors import GraphError
from app.domain.meta.usage import Usage, usage_of
from app.domain.send_answer import Accepted, Ambiguous, Refused, SendAnswer
from app.domain.send_reply import send_answer

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
NOT_JSON = b"<html><body>502 Bad Gateway</body></html>"


def answered(status: int, document: Any, **headers: str) -> SendAnswer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return send_answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOON)


def test_an_answer_with_a_message_id_is_an_acceptance() -> None:
    contacts = [{"input": "+5511999998888", "wa_id": "551199998888", "user_id": "BR.1"}]

    answer = answered(200, {"contacts": contacts, "messages": [{"id": "wamid.A=", "message_status": "paused"}]})

    assert answer == Accepted("wamid.A=", "551199998888", "BR.1", "paused")


def test_a_message_id_counts_whatever_stands_beside_it() -> None:
    assert answered(200, {"messages": [{"id": "wamid.A="}], "error": {"code": 1}}) == Accepted("wamid.A=")


@pytest.mark.parametrize("contacts", [None, [], {}, ["+49"], [None], [{"wa_id": 49}]])
def test_an_acceptance_needs_no_contact(contacts: Any) -> None:
    assert answered(200, {"contacts": contacts, "messages": [{"id": "wamid.A="}]}) == Accepted("wamid.A=")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        NOT_JSON,
        b'{"messages":[{"id":"wamid.',
        b"[]",
        b'"wamid.A="',
        b"[" * 100_000,
        {},
        {"messages": []},
        {"messages": {}},
        {"messages": [{}]},
        {"messages": [{"id": ""}]},
        {"messages": [{"id": 5}]},
        {"messages": [None]},
        {"success": True},
        {"error": {"code": 2, "message": "Service temporarily unavailable"}},
        {"messages": [{}], "error": {"code": 131016}},
    ],
)
def test_a_success_without_a_message_id_proves_nothing(body: Any) -> None:
    assert answered(200, body) == Ambiguous("HTTP 200 without a message id")


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 401, 403, 404, 408, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", NOT_JSON, b'{"error":{"cod', {"error": "bad gateway"}])
def test_a_status_without_an_error_of_the_graph_api_proves_nothing(status: int, body: Any) -> None:
    assert isinstance(answered(status, body), Ambiguous)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_error_of_the_graph_api_is_a_refusal_whatever_the_status(status: int) -> None:
    answer = answered(status, {"error": {"code": "131016"}})

    assert answer == Refused(GraphError(131016, verbatim={"code": "131016"}), status)


@pytest.mark.parametrize("body", [b"", NOT_JSON, {"message": "slow down"}])
def test_a_429_is_a_refusal_without_an_error(body: Any) -> None:
    answer = answered(429, body, Retry_After="7")

    assert answer == Refused(None, 429, timedelta(seconds=7))
    assert answer.reason == "HTTP 429"
    assert answer.delay == timedelta(seconds=7)


def test_a_refusal_asks_for_an_hour_at_most_and_for_minutes_where_calls_are_used_up() -> None:
    regain = json.dumps({"1": [{"type": "whatsapp", "call_count": 100, "estimated_time_to_regain_access": 90}]})

    answer = answered(429, {"error": {"code": 80007}}, Retry_After="7200", **{"X-Business-Use-Case-Usage": regain})

    assert isinstance(answer, Refused)
    assert (answer.retry_after, answer.regain_minutes) == (timedelta(hours=1), 90)
    assert (answer.delay, answer.delay_of_calls, answer.reason) == (timedelta(hours=1), timedelta(hours=1), "80007")
    assert Refused(None, 429).delay == timedelta()


def test_the_limit_that_is_nearest_counts() -> None:
    headers = {
        "X-App-Usage": json.dumps({"call_count": 28, "total_cputime": 15, "total_time": 12}),
        "X-Business-Use-Case-Usage": json.dumps(
            {
                "1": [{"call_count": 5, "total_time": 91, "estimated_time_to_regain_access": 0}],
                "2": [{"call_count": 2, "estimated_time_to_regain_access": 3}, "nonsense"],
                "3": None,
            }
        ),
    }

    assert usage_of(headers) == Usage(91, 3)


@pytest.mark.parametrize(
    "header", ["", "none", "[1]", "null", '{"call_count": -5}', '{"call_count": true}', "[" * 10_000]
)
def test_a_header_of_nonsense_says_nothing(header: str) -> None:
    assert usage_of({"X-App-Usage": header, "X-Business-Use-Case-Usage": header}) == Usage()


def test_a_day_is_the_longest_wait_for_calls() -> None:
    header = json.dumps({"1": [{"estimated_time_to_regain_access": 10**9}]})

    assert usage_of({"X-Business-Use-Case-Usage": header}).regain_minutes == 24 * 60


@given(st.integers(100, 599), st.binary())
def test_no_bytes_break_the_reading(status: int, body: bytes) -> None:
    assert not isinstance(send_answer(status, {}, body, NOON), Accepted)


def test_a_message_that_meta_names_twice_was_accepted_twice() -> None:
    answer = answered(200, {"messages": [{"id": "wamid.A="}, {"id": "wamid.B="}, {"id": "wamid.C="}]})

    assert answer == Accepted("wamid.A=", second_wamid="wamid.B=")


@pytest.mark.parametrize("status", [429, 400, 503])
@pytest.mark.parametrize("error", [{}, {"error": {"code": 130429, "message": "Rate limit hit"}}])
def test_an_error_that_names_a_message_is_no_refusal(status: int, error: dict[str, Any]) -> None:
    answer = answered(status, {"messages": [{"id": "wamid.A="}], **error})

    assert answer == Ambiguous(f"HTTP {status} with a message id")
