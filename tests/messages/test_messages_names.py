"""A customer has one conversation, window and pace under every name that Meta gives: at the door of a dry-run."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.serving import Running, run, serving
from tests.support.tracing import inherited
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

BEARER = {"Authorization": "Bearer dry-run-service-token", "Content-Type": "application/json"}
PHONE, ANOTHER, LOST = "+4915155500001", "+4915155500002", "+9990004001"
MOST = 30
"""Messages to each name, together more than a customer gets at once."""
AT_ONCE, INTERVAL = 45, timedelta(seconds=6)
"""Meta's limit for a customer."""
ROUNDED = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, unmeasured: None) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("names")
    config = write_config(folder, CONFIG)
    environ = {**inherited("PATH", "HOME"), "WATS_DATA_DIR": str(folder / "data"), "WATS_CONFIG": str(config)}
    with serving(folder, "--dry-run", "--workers", "1", environ=environ) as running:
        yield running


def accept(running: Running, *messages: dict[str, Any]) -> list[str]:
    texts = [{"message": {**message, "type": "text", "text": {"body": f"{n}"}}} for n, message in enumerate(messages)]
    status, answer = running.ask("POST", "/api/messages/batch", json.dumps({"messages": texts}).encode(), BEARER)
    assert status == 200, answer
    return [str(result["message"]["id"]) for result in json.loads(answer)["results"]]


def shown(running: Running, message_id: str) -> dict[str, Any]:
    return dict(running.json(f"/api/messages/{message_id}", BEARER))


def wait_until_read(running: Running, to: str) -> None:
    [message_id] = accept(running, {"to": to})
    wait_for(lambda: shown(running, message_id)["status"] == "read")


def messages(running: Running, contact: str) -> list[dict[str, Any]]:
    return list(running.json(f"/api/messages?limit=100&contact={contact}", BEARER)["items"])


def conversations(running: Running, phone: str) -> list[dict[str, Any]]:
    items = running.json("/api/conversations", BEARER)["items"]
    return [item for item in items if item["waId"] == phone.removeprefix("+")]


def user_of(running: Running, phone: str) -> str:
    """Return the user id that statuses have told."""
    [event, *_] = running.json(f"/api/events?types=message.status.read&contact={phone[1:]}", BEARER)["items"]
    return str(event["contact"]["userId"])


def left_too_early(shown: list[dict[str, Any]]) -> list[datetime]:
    """Return when messages left too early, by our times: on a busy machine Meta gets some of them close together."""
    _the_first, *left = sorted(
        datetime.fromisoformat(entry["at"])
        for message in shown
        for entry in message.get("history", ())
        if entry["status"] == "sending"
    )
    assert len(left) > MOST
    late = enumerate(left[AT_ONCE:], start=1)
    return [at for number, at in late if at - left[0] + ROUNDED < INTERVAL * number]


def test_a_number_and_the_user_id_that_its_statuses_name_are_one_customer(running: Running) -> None:
    wait_until_read(running, PHONE)
    user = user_of(running, PHONE)

    said = run("simulate", "text", "yes", "--from", "", "--field", f"user_id={user}", environ=running.environ)
    assert said.returncode == 0, said.stderr
    wait_for(lambda: conversations(running, PHONE)[0]["lastInboundAt"] is not None)
    accept(running, *[{"to": PHONE}] * MOST, *[{"recipient": user}] * MOST)
    wait_for(lambda: sum(message["status"] != "queued" for message in messages(running, user)) > MOST)
    wait_until_read(running, ANOTHER)  # by then what is too much would have left too

    assert len(messages(running, user)) == len(["the first", "the answer"]) + 2 * MOST
    assert left_too_early(messages(running, user)) == []
    assert any(message["status"] == "queued" for message in messages(running, user))
    window = running.json(f"/api/conversations/{PHONE[1:]}/window", BEARER)
    [conversation] = conversations(running, PHONE)
    assert (window["open"], conversation["userId"]) == (True, user)
    assert [one["userId"] for one in running.json("/api/conversations", BEARER)["items"]].count(user) == 1


def test_a_message_whose_answer_was_lost_has_its_conversation_by_its_status(running: Running) -> None:
    wait_until_read(running, LOST)

    [conversation] = conversations(running, LOST)
    assert conversation["userId"] == "XX.FAKE4001"
    assert conversation["lastOutboundAt"] is not None
