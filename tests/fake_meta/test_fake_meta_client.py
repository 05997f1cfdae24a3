"""The in-process door: the fake Meta with the methods of the client of the Graph API."""

import json
from dataclasses import replace

import pytest

from app.domain.send_answer import Accepted, Ambiguous, Refused
from app.graph.fake.client import FakeGraphClient
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import ACCOUNTS, CalledMeta, message


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(slept: list[float]) -> FakeGraphClient:
    return FakeGraphClient(CalledMeta(replace(ACCOUNTS, tokens=None)).meta, "v25.0", slept.append)


def send(client: FakeGraphClient, ending: str) -> object:
    return client.send(NUMBER, "messages", json.dumps(message(f"+999000{ending}")).encode())


def test_a_message_is_accepted(client: FakeGraphClient) -> None:
    answer = send(client, "0000")

    assert isinstance(answer, Accepted)
    assert answer.wa_id == "9990000000"


def test_a_held_template_is_accepted_with_metas_word(client: FakeGraphClient) -> None:
    answer = send(client, "0006")

    assert isinstance(answer, Accepted)
    assert answer.message_status == "held_for_quality_assessment"


@pytest.mark.parametrize(("ending", "code"), [("2190", 190), ("2133", 100), ("3056", 131056), ("3002", 2)])
def test_a_refusal_has_its_code(client: FakeGraphClient, ending: str, code: int) -> None:
    answer = send(client, ending)

    assert isinstance(answer, Refused)
    assert answer.error is not None
    assert answer.error.code == code


def test_the_minutes_of_the_account_are_read(client: FakeGraphClient) -> None:
    answer = send(client, "3807")

    assert isinstance(answer, Refused)
    assert answer.regain_minutes == 1


@pytest.mark.parametrize("ending", ["4001", "4002", "4003", "4004", "4005", "4006", "4007", "4008", "4009", "4010"])
def test_a_lost_or_foreign_answer_is_ambiguous(client: FakeGraphClient, ending: str) -> None:
    assert isinstance(send(client, ending), Ambiguous)


def test_a_slow_answer_is_waited_for_as_long_as_the_real_client_waits(
    client: FakeGraphClient, slept: list[float]
) -> None:
    slow, too_slow = send(client, "5010"), send(client, "4004")

    assert isinstance(slow, Accepted)
    assert too_slow == Ambiguous("no answer in time")
    assert slept == [10, 30]
