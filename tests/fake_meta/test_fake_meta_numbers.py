"""The test numbers of the fake Meta: each does what its line in the table says."""

import json

import pytest

from app.graph.fake.behaviours import BEHAVIOURS
from tests.support.fake_meta import TOKEN, CalledMeta, error_of, message

ORDERS = {
    "0000": ["sent", "delivered", "read"],
    "0001": ["sent", "delivered"],
    "0002": ["sent"],
    "0003": ["sent", "read"],
    "0004": ["sent", "read", "read", "delivered", "delivered"],
    "0010": ["sent", "delivered", "failed"],
    "4002": [],
    "4003": [],
    "4007": [],
    "4001": ["sent", "delivered", "read"],
    "4009": ["failed"],
}
FAILURES = {"1026": 131026, "1047": 131047, "1049": 131049, "1050": 131050, "1053": 131053, "1042": 131042}
REFUSALS = {
    "1497": (403, 130497, None),
    "2008": (400, 131008, None),
    "2030": (400, 131030, None),
    "2100": (400, 100, None),
    "2133": (400, 100, 33),
    "2190": (401, 190, 463),
    "2131": (403, 131031, None),
    "2001": (404, 132001, None),
    "2062": (400, 131062, None),
    "3048": (400, 131048, None),
    "3807": (429, 80007, 2446079),
    "3000": (500, 131000, None),
}
LINES = {"4001": "cut", "4002": "cut", "4003": "cut", "4005": "half", "4009": "cut", "4010": "drip"}
PAGES = {"4006": (200, True), "4007": (502, False), "4008": (504, True)}


def number(ending: str) -> str:
    return f"+999000{ending}"


@pytest.mark.parametrize("ending", ORDERS)
def test_the_statuses_come_in_this_order(meta: CalledMeta, ending: str) -> None:
    meta.send(number(ending))

    in_time = sorted(meta.statuses, key=lambda planned: planned[0])
    assert [status["status"] for _, status in in_time] == ORDERS[ending]


@pytest.mark.parametrize("ending", FAILURES)
def test_the_message_is_accepted_and_fails(meta: CalledMeta, ending: str) -> None:
    answer = meta.send(number(ending))

    [(_, failed)] = meta.statuses
    assert answer.status == 200
    assert failed["errors"][0]["code"] == FAILURES[ending]
    assert {"title", "message", "error_data", "href"} < set(failed["errors"][0])


@pytest.mark.parametrize("ending", REFUSALS)
def test_the_message_is_refused(meta: CalledMeta, ending: str) -> None:
    answer = meta.send(number(ending))

    error = error_of(answer)
    assert (answer.status, error["code"], error.get("error_subcode")) == REFUSALS[ending]
    assert len(error["fbtrace_id"]) == 23
    assert meta.meta.state.items("message") == []


@pytest.mark.parametrize("ending", LINES)
def test_the_line_breaks(meta: CalledMeta, ending: str) -> None:
    assert meta.send(number(ending)).line == LINES[ending]


@pytest.mark.parametrize("ending", PAGES)
def test_a_page_of_an_edge_is_answered(meta: CalledMeta, ending: str) -> None:
    answer = meta.send(number(ending))

    assert (answer.status, bool(meta.meta.state.items("message"))) == PAGES[ending]
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_a_number_that_recovers_after_three_refusals(meta: CalledMeta) -> None:
    assert [meta.send(number("3056")).status for _ in range(4)] == [400, 400, 400, 200]


def test_a_number_that_recovers_after_five_seconds(meta: CalledMeta) -> None:
    early = meta.send(number("3029"))
    meta.clock.advance(5)

    assert (error_of(early)["code"], meta.send(number("3029")).status) == (130429, 200)


def test_a_token_that_expired_is_good_again_once_it_is_healed(meta: CalledMeta) -> None:
    refused = meta.send(number("2190"))
    meta.meta.state.put("healed", "tokens", {})

    assert (refused.status, meta.send(number("2190")).status) == (401, 200)


def test_the_usage_header_tells_the_minutes_to_wait(meta: CalledMeta) -> None:
    usage = json.loads(meta.send(number("3807")).headers["X-Business-Use-Case-Usage"])

    [[use]] = usage.values()
    assert (use["call_count"], use["estimated_time_to_regain_access"]) == (100, 1)


def test_the_sent_status_may_come_before_the_answer(meta: CalledMeta) -> None:
    meta.send(number("0005"))

    [before] = meta.outlet.posted
    assert before.value["statuses"][0]["status"] == "sent"
    assert [status["status"] for _, status in meta.statuses] == ["delivered", "read"]


def test_a_held_message_says_so(meta: CalledMeta) -> None:
    answer = meta.send(number("0007"))

    assert json.loads(answer.body)["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert [status["errors"][0]["code"] for _, status in meta.statuses] == [132015]


def test_a_number_may_be_answered_in_another_spelling(meta: CalledMeta) -> None:
    [contact] = json.loads(meta.send(number("0008")).body)["contacts"]

    assert contact == {"input": "+9990000008", "wa_id": "999000008"}
    assert meta.statuses[0][1]["recipient_id"] == "999000008"


def test_a_customer_may_be_known_by_user_id_only(meta: CalledMeta) -> None:
    [contact] = json.loads(meta.send(number("0009")).body)["contacts"]

    assert contact == {"input": "+9990000009", "user_id": "XX.FAKE0009"}
    assert "recipient_id" not in meta.statuses[0][1]


def test_a_failure_may_come_without_our_tracker(meta: CalledMeta) -> None:
    meta.send(number("4009"), biz_opaque_callback_data="wats1.x.1")

    assert "biz_opaque_callback_data" not in meta.statuses[0][1]


def test_a_user_id_stands_for_its_number(meta: CalledMeta) -> None:
    answer = meta.send(None, recipient="XX.FAKE1497")

    assert error_of(answer)["code"] == 130497


def test_any_other_number_is_well(meta: CalledMeta) -> None:
    meta.send("+4915112345678")

    assert [status["status"] for _, status in meta.statuses] == ORDERS["0000"]


@pytest.mark.parametrize("ending", BEHAVIOURS)
def test_every_test_number_answers(meta: CalledMeta, ending: str) -> None:
    body = message(number(ending))

    assert meta.ask("POST", "9876543210/messages", body, token=TOKEN).status in range(200, 600)
