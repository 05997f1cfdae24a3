"""Real processes on each database: a destination is down, a human brings it back, and replays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.delivery.conftest import DESTINATIONS, SECRETS
from tests.support.live import CONFIG, write_config
from tests.support.receiver import Receiver, receiving
from tests.support.serving import Running, environment, free_port, run, serving
from tests.support.store import KINDS
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def port() -> int:
    """Return the port on which the destinations will listen later."""
    return free_port()


@pytest.fixture(scope="module", params=KINDS)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Running]:
    """A gateway with its worker, on a database of each kind."""
    folder = tmp_path_factory.mktemp("night")
    is_sqlite = request.param == "sqlite"
    url = (
        f"sqlite:///{folder}/wats.sqlite3"
        if is_sqlite
        else request.getfixturevalue("postgres_server").empty_database()
    )
    config = write_config(folder, CONFIG + DESTINATIONS.format(url=url, port=port))
    environ = environment(folder, **SECRETS, WATS_CONFIG=str(config))
    with serving(folder, "--live", "--yes-live", environ=environ) as running:
        yield running


def deliveries(gateway: Running, query: str = "") -> list[dict[str, Any]]:
    return list(gateway.json(f"/api/deliveries?{query}", bearer())["items"])


def ids_of(receiver: Receiver, path: str) -> list[str]:
    return [headers["webhook-id"] for where, headers, _ in receiver.received if where.startswith(path)]


def test_a_waiting_delivery_arrives_once_the_destination_is_back_and_again_if_it_is_replayed(
    gateway: Running, port: int
) -> None:
    body = body_of()
    assert gateway.ask("POST", PATH, body, signed(body))[0] == 200
    wait_for(lambda: [each["attempts"] for each in deliveries(gateway, "destination=crm")] not in ([], [[]]))
    [stuck] = deliveries(gateway, "destination=crm")

    with receiving(port) as receiver:
        resumed = gateway.ask("POST", "/api/destinations/crm/resume", headers=bearer())[0]
        wait_for(lambda: deliveries(gateway, "state=delivered&destination=crm") != [])
        arrived = ids_of(receiver, "/hooks")
        selected = ("--destination", "crm", "--state", "delivered", "--yes")
        ended = run("deliveries", "replay", *selected, environ=gateway.environ)
        wait_for(lambda: len(ids_of(receiver, "/hooks")) == 2)

    assert stuck["attempts"][0]["error"] == "connection refused"
    assert (resumed, arrived) == (200, [stuck["eventId"]])
    assert (ended.returncode, ended.stdout) == (0, "done: 1 delivery replayed\n")
    assert ids_of(receiver, "/hooks") == [stuck["eventId"]] * 2


def test_a_destination_is_tested_by_a_web_process(gateway: Running, port: int) -> None:
    with receiving(port) as receiver:
        ended = run("destinations", "test", "crm", "--json", environ=gateway.environ)

    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (0, 204)
    tested = [json.loads(body)["type"] for path, _, body in receiver.received if path.startswith("/hooks")]
    assert tested == ["wats.test"]


def test_an_unreadable_receipt_is_shown_and_can_be_split_again(gateway: Running) -> None:
    body = b"\xff no JSON"
    gateway.ask("POST", PATH, body, signed(body))
    wait_for(lambda: gateway.json("/status", bearer())["receipts"]["unreadable"] == 1)
    [receipt] = gateway.json("/api/receipts?state=unreadable", bearer())["items"]

    ended = run("receipts", "reprocess", "--state", "unreadable", environ=gateway.environ)
    wait_for(lambda: gateway.json("/status", bearer())["receipts"]["unreadable"] == 1)

    assert gateway.json(f"/api/receipts/{receipt['id']}", bearer())["error"]
    assert (ended.returncode, ended.stdout) == (0, "done: 1 receipt queued to be split again\n")
