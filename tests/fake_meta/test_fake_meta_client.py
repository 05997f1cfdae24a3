"""The in-process door: the fake Meta with the methods of the client of the Graph API."""

import json
from dataclasses import replace

import pytest

from app.domain.send_answer import GIVEN_UP, Accepted, Ambiguous, Refused
from app.graph.call import GraphRequest, GraphUnreachable
from app.graph.fake.client import FakeGraphClient
from app.graph.fake.media import address_from
from app.graph.fake.samples import SAMPLES
from app.graph.fake.wire import ORIGIN
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import ACCOUNTS, AT, CalledMeta, message


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(slept: list[float]) -> FakeGraphClient:
    return FakeGraphClient(CalledMeta(replace(ACCOUNTS, tokens=None)).meta, "v25.0", slept.append)


def send(client: FakeGraphClient, ending: str) -> object:
    return client.send(NUMBER, "messages", json.dumps(message(f"+999000{ending}")).encode(), lambda: True)


def test_a_message_is_accepted(client: FakeGraphClient) -> None:
    answer = send(client, "0000")

    assert isinstance(answer, Accepted)
    assert answer.wa_id == "9990000000"


def test_nothing_is_sent_by_a_worker_that_may_not_write_any_more(client: FakeGraphClient) -> None:
    body = json.dumps(message("+9990000000")).encode()

    assert client.send(NUMBER, "messages", body, lambda: False) == GIVEN_UP


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


def test_any_other_call_is_answered_as_the_real_client_would(client: FakeGraphClient) -> None:
    request = GraphRequest("GET", NUMBER, "fields=display_phone_number%2Cid", [("Authorization", "Bearer ours")])

    with client.call(request) as reply:
        assert json.loads(reply.read(1000)) == {"display_phone_number": "+1 555-000-1111", "id": NUMBER}

    assert reply.header("facebook-api-version") == "v25.0"


def test_a_session_of_an_upload_is_found_by_its_undecoded_path(client: FakeGraphClient) -> None:
    begun = client.call(GraphRequest("POST", "app/uploads", "file_length=4&file_type=image%2Fpng"))
    path, _, query = json.loads(begun.read(1000))["id"].partition("?")

    sent = client.call(GraphRequest("POST", path, query, [("file_offset", "0")], iter([b"\x89P", b"NG"]), 4))

    assert json.loads(sent.read(1000))["h"].startswith("4::")


@pytest.mark.parametrize(
    ("ending", "reason"), [("4001", "connection lost before the whole answer"), ("4004", "no answer in time")]
)
def test_a_lost_answer_is_raised(client: FakeGraphClient, ending: str, reason: str) -> None:
    body = json.dumps(message(f"+999000{ending}")).encode()

    with pytest.raises(GraphUnreachable) as lost:
        client.call(GraphRequest("POST", f"{NUMBER}/messages", body=body))

    assert (lost.value.reason, lost.value.was_sent) == (reason, True)


def test_an_answer_longer_than_what_is_read_of_it_is_raised(client: FakeGraphClient) -> None:
    with pytest.raises(GraphUnreachable), client.call(GraphRequest("GET", NUMBER)) as reply:
        reply.read(10)


def test_the_address_of_a_sample_that_simulate_sends_has_its_bytes(client: FakeGraphClient) -> None:
    sample = SAMPLES["image"]

    with client.download(address_from(AT, ORIGIN, sample.id)) as reply:
        content = reply.read(len(sample.data))

    assert (reply.status, content) == (200, sample.data)
