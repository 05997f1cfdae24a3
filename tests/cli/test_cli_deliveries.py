"""`flask wats deliveries …` and `destinations …` against a running service."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from app.domain.delivery import DeliveryState
from app.domain.job import Dead, Done
from app.store import Store
from tests.support.deliveries import end_all, put_deliveries
from tests.support.events import new_event
from tests.support.serving import FLASK, ROOT, Running, run

NUMBERS = count()


def wats(service: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(*arguments, environ=service.environ)


def machine(service: Running, *arguments: str) -> dict[str, Any]:
    ended = wats(service, *arguments, "--json")
    assert ended.returncode == 0
    return dict(json.loads(ended.stdout))


@pytest.fixture
def dead(stored: Store) -> Iterator[Store]:
    """Three deliveries to the CRM that were given up; nothing is dead or waits before and after."""
    put_deliveries(stored, *(new_event(f"stuck {next(NUMBERS)}") for _ in range(3)))
    end_all(stored, Dead("gave up"), status=500)
    yield stored
    for delivery in stored.deliveries.page(state=DeliveryState.DEAD, limit=1000):
        stored.deliveries.replay(delivery.id)
    end_all(stored, Done(), status=200)


def test_what_is_stuck_stands_in_a_table_with_its_reason(service: Running, dead: Store) -> None:
    table = wats(service, "deliveries", "list", "--state", "dead", "--destination", "crm").stdout.splitlines()
    page = machine(service, "deliveries", "list", "--state", "dead")

    assert table[0].split() == ["id", "state", "destination", "eventId", "tries", "lastError", "nextAttemptAt"]
    assert [line.split()[0] for line in table[1:]] == [each["id"] for each in page["items"]]
    assert all("HTTP 500" in line for line in table[1:])


def test_a_delivery_is_shown_with_its_attempts(service: Running, dead: Store) -> None:
    [one] = machine(service, "deliveries", "list", "--state", "dead", "--limit", "1")["items"]

    shown = wats(service, "deliveries", "show", one["id"]).stdout

    assert f"eventId       {one['eventId']}\n" in shown
    assert shown.splitlines()[-2].split() == ["at", "status", "error", "durationMs"]
    assert machine(service, "deliveries", "show", one["id"]) == one


def test_named_deliveries_are_replayed(service: Running, dead: Store) -> None:
    ids = [each["id"] for each in machine(service, "deliveries", "list", "--state", "dead", "--limit", "2")["items"]]

    ended = wats(service, "deliveries", "replay", *ids)

    assert (ended.returncode, ended.stdout) == (0, "replayed 2 deliveries\n")
    assert [each["id"] for each in machine(service, "deliveries", "list", "--state", "waiting")["items"]] == ids


def test_a_selection_is_replayed_step_by_step_with_a_line_for_each(service: Running, dead: Store) -> None:
    put_deliveries(dead, *[new_event(f"more {number}") for number in range(500)])
    end_all(dead, Dead("gave up"))

    ended = wats(service, "deliveries", "replay", "--state", "dead", "--destination", "crm", "--types", "message.*")

    assert (ended.returncode, ended.stdout) == (0, "replayed 503 deliveries\n")
    assert [line.split(",")[0] for line in ended.stderr.splitlines()] == [
        "replaying: 500 so far",
        "replaying: 503 so far",
    ]


def test_on_a_terminal_a_bar_is_drawn(service: Running, dead: Store) -> None:
    screen, terminal = pty.openpty()
    command = [FLASK, "wats", "deliveries", "replay", "--state", "dead"]
    ended = subprocess.run(
        command, cwd=ROOT, env=service.environ, stdout=subprocess.PIPE, stderr=terminal, check=True
    )
    os.close(terminal)

    drawn = b""
    with suppress(OSError):  # how a terminal says that its other side is closed
        while piece := os.read(screen, 4096):
            drawn += piece
    os.close(screen)

    assert ended.stdout.startswith(b"replayed ")
    assert b"replaying" in drawn
    assert b"#" in drawn
    assert b"so far" not in drawn


def test_machines_are_told_how_many_were_replayed(service: Running, dead: Store) -> None:
    assert machine(service, "deliveries", "replay", "--state", "dead", "--since", "2099-01-01T00:00:00Z") == {
        "replayed": 0
    }


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("deliveries", "replay"), 2, "Name either IDs or at least one of the options"),
        (("deliveries", "replay", "dlv_1", "--state", "dead"), 2, "Name either IDs or at least one of the options"),
        (("deliveries", "replay", "--state", "lost"), 2, "'lost' is not one of"),
        (("deliveries", "replay", "dlv_999999"), 1, "[not_found, request "),
        (("deliveries", "replay", "--destination", "cmr"), 1, "/destination: No destination of the profile"),
        (("deliveries", "replay", "--since", "yesterday"), 1, "/since: It must be a time with its zone"),
        (("deliveries", "replay", "--types", "a,,b"), 1, "/types/1: "),
        (("deliveries", "list", "--cursor", "nonsense"), 1, "[invalid_cursor, request "),
        (("deliveries", "list", "--event", "evt_1"), 1, "[invalid_parameter, request "),
        (("deliveries", "show", "dlv_1/../x"), 1, "[not_found, request "),
        (("destinations", "pause", "cmr"), 1, "[not_found, request "),
        (("destinations", "resume", "../crm"), 1, "[not_found, request "),
    ],
)
def test_a_mistake_is_told_by_a_line_and_a_code(
    service: Running, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ended = wats(service, *arguments)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_destinations_are_paused_and_resumed(service: Running) -> None:
    paused = machine(service, "destinations", "pause", "crm")
    table = wats(service, "destinations", "list").stdout.splitlines()
    resumed = wats(service, "destinations", "resume", "crm").stdout

    assert paused["state"] == "paused"
    assert [line.split()[:2] for line in table] == [["name", "state"], ["crm", "paused"], ["bot", "active"]]
    assert "state         active\n" in resumed
    assert [each["name"] for each in machine(service, "destinations", "list")["items"]] == ["crm", "bot"]


def test_a_destination_that_does_not_take_a_test_event_is_code_1(service: Running) -> None:
    told = wats(service, "destinations", "test", "crm")
    answer = json.loads(wats(service, "destinations", "test", "crm", "--json").stdout)

    assert (told.returncode, told.stderr) == (1, "crm did not take the test event: connection refused\n")
    assert (answer["ok"], answer["status"], answer["error"]) == (False, None, "connection refused")


def test_status_tells_of_dead_letters_by_its_exit_code(service: Running, dead: Store) -> None:
    ended = wats(service, "status")

    assert ended.returncode == 1
    assert "dead letters" in ended.stderr
    assert "\ndestinations\n" in ended.stdout
