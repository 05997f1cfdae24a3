"""Real processes on each database: a destination is down, a human brings it back, and replays."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.conftest import DESTINATIONS, SECRETS
from tests.support.live import CONFIG, write_config
from tests.support.receiver import Receiver, receiving
from tests.support.serving import Running, environment, free_port, run, serving
from tests.support.store import Databases
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture
def port() -> int:
    """Return the port on which the destinations will listen later."""
    return free_port()


@pytest.fixture
def gateway(tmp_path: Path, databases: Databases, port: int) -> Iterator[Running]:
    """A gateway with its worker."""
    config = write_config(tmp_path, CONFIG + DESTINATIONS.format(url=databases.empty(), port=port))
    environ = environment(tmp_path, **SECRETS, WATS_CONFIG=str(config))
    with serving(tmp_path, "--live", "--yes-live", environ=environ) as running:
        yield running


def deliveries(gateway: Running, query: str = "") -> list[dict[str, Any]]:
    return list(gateway.json(f"/api/deliveries?{query}", bearer())["items"])


def ids_of(receiver: Receiver, path: str) -> list[str]:
    return [headers["webhook-id"] for where, headers, _ in receiver.received if where.startswith(path)]


def test_waiting_deliveries_are_shown_and_arrive_once_the_destination_is_back(gateway: Running, port: int) -> None:
    body = body_of()
    assert gateway.ask("POST", PATH, body, signed(body))[0] == 200
    wait_for(lambda: [each["attempts"] for each in deliveries(gateway, "destination=crm")] not in ([], [[]]))
    [stuck] = deliveries(gateway, "destination=crm")

    with receiving(port) as receiver:
        resumed = gateway.ask("POST", "/api/destinations/crm/resume", headers=bearer())[0]
        wait_for(lambda: ids_of(receiver, "/hooks") != [])
        wait_for(lambda: deliveries(gateway, "state=delivered&destination=crm") != [])

    assert (stuck["state"], stuck["attempts"][0]["error"]) == ("waiting", "connection refused")
    assert resumed == 200
    assert ids_of(receiver, "/hooks") == [stuck["eventId"]]


def test_a_replay_brings_an_event_again_with_the_same_id(gateway: Running, port: int) -> None:
    body = body_of()
    with receiving(port) as receiver:
        gateway.ask("POST", PATH, body, signed(body))
        wait_for(lambda: len(deliveries(gateway, "state=delivered")) == 2)

        ended = run(
            *("deliveries", "replay", "--destination", "crm", "--state", "delivered"), environ=gateway.environ
        )
        wait_for(lambda: len(ids_of(receiver, "/hooks")) == 2)

    assert (ended.returncode, ended.stdout) == (0, "done: 1 delivery replayed\n")
    assert len(set(ids_of(receiver, "/hooks"))) == 1


def test_a_destination_is_tested_by_a_web_process(gateway: Running, port: int) -> None:
    with receiving(port) as receiver:
        ended = run("destinations", "test", "crm", "--json", environ=gateway.environ)

    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (0, 204)
    assert [json.loads(body)["type"] for _, _, body in receiver.received] == ["wats.test"]


def test_an_unreadable_receipt_is_shown_and_can_be_split_again(gateway: Running) -> None:
    body = b"\xff no JSON"
    gateway.ask("POST", PATH, body, signed(body))
    wait_for(lambda: gateway.json("/status", bearer())["receipts"]["unreadable"] == 1)
    [receipt] = gateway.json("/api/receipts?state=unreadable", bearer())["items"]

    ended = run("receipts", "reprocess", "--state", "unreadable", environ=gateway.environ)
    wait_for(lambda: gateway.json("/status", bearer())["receipts"]["unreadable"] == 1)

    assert gateway.json(f"/api/receipts/{receipt['id']}", bearer())["error"]
    assert (ended.returncode, ended.stdout) == (0, "done: 1 receipt queued to be split again\n")
