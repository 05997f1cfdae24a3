"""`flask wats deliveries …` and `flask wats destinations …` against a running service."""

import json
import subprocess
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from app.domain.delivery import DeliveryState
from app.domain.job import Dead, Done
from app.store import Store
from tests.support.deliveries import put_deliveries, settle_all
from tests.support.events import new_event
from tests.support.serving import Running, run
from tests.support.terminal import on_a_terminal

NUMBERS = count()


def wats(service: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(*arguments, environ=service.environ)


def json_of(service: Running, *arguments: str) -> dict[str, Any]:
    ended = wats(service, *arguments, "--json")
    assert ended.returncode == 0
    return dict(json.loads(ended.stdout))


@pytest.fixture
def dead(stored: Store) -> Iterator[Store]:
    """Put in three dead deliveries to the CRM. Before and after the test none is dead or waiting."""
    put_deliveries(stored, *(new_event(f"stuck {next(NUMBERS)}") for _ in range(3)))
    settle_all(stored, Dead("gave up"), status=500)
    yield stored
    for delivery in stored.deliveries.page(state=DeliveryState.DEAD, limit=1000):
        stored.deliveries.replay(delivery.id)
    settle_all(stored, Done(), status=200)


def test_dead_deliveries_are_listed_with_their_last_error(service: Running, dead: Store) -> None:
    table = wats(service, "deliveries", "list", "--state", "dead", "--destination", "crm").stdout.splitlines()
    page = json_of(service, "deliveries", "list", "--state", "dead")

    assert table[0].split() == ["id", "state", "destination", "eventId", "attempts", "lastError", "nextAttemptAt"]
    assert [line.split()[0] for line in table[1:]] == [delivery["id"] for delivery in page["items"]]
    assert all("HTTP 500" in line for line in table[1:])


def test_a_next_page_is_named_only_where_there_is_one(service: Running, dead: Store) -> None:
    two, all_three = (wats(service, "deliveries", "list", "--state", "dead", "--limit", limit) for limit in "23")

    assert two.stderr.startswith("next page: --cursor ")
    assert all_three.stderr == ""


def test_a_delivery_is_shown_with_its_attempts(service: Running, dead: Store) -> None:
    [delivery] = json_of(service, "deliveries", "list", "--state", "dead", "--limit", "1")["items"]

    shown = wats(service, "deliveries", "show", delivery["id"]).stdout

    assert f"eventId        {delivery['eventId']}\n" in shown
    assert shown.splitlines()[-2].split() == ["at", "status", "error", "durationMs"]
    assert json_of(service, "deliveries", "show", delivery["id"]) == delivery


def test_named_deliveries_are_replayed(service: Running, dead: Store) -> None:
    ids = [
        delivery["id"]
        for delivery in json_of(service, "deliveries", "list", "--state", "dead", "--limit", "2")["items"]
    ]

    ended = wats(service, "deliveries", "replay", *ids)

    assert (ended.returncode, ended.stdout) == (0, "done: 2 deliveries replayed\n")
    assert [
        delivery["id"] for delivery in json_of(service, "deliveries", "list", "--state", "waiting")["items"]
    ] == ids


def test_a_selection_is_replayed_in_steps_with_a_line_for_each_but_the_last(service: Running, dead: Store) -> None:
    put_deliveries(dead, *[new_event(f"more {number}") for number in range(500)])
    settle_all(dead, Dead("gave up"))

    ended = wats(
        service, "deliveries", "replay", "--state", "dead", "--destination", "crm", "--types", "message.*", "--yes"
    )

    assert (ended.returncode, ended.stdout) == (0, "done: 503 deliveries replayed\n")
    assert ended.stderr == "replaying: 500 done, 3 left to check\n"


def test_a_destination_gets_earlier_events_after_a_count_and_a_question(service: Running, stored: Store) -> None:
    put_deliveries(stored, new_event(f"early {next(NUMBERS)}", kind="call.connect"), to=["other"])
    missing = ("deliveries", "replay", "--destination", "crm", "--include-missing", "--types", "call.connect")

    counted = wats(service, *missing, "--dry-run")
    drawn = on_a_terminal(*missing, environ=service.environ, typed="y\n")
    nameless = wats(service, "deliveries", "replay", "--include-missing", "--yes")
    settle_all(stored, Done(), status=200)

    assert counted.stdout == "1 delivery would be replayed\n"
    assert "Replay 1 delivery? [y/N]: " in drawn
    assert "done: 1 delivery replayed" in drawn
    assert (nameless.returncode, "--include-missing needs --destination." in nameless.stderr) == (2, True)


def test_a_misspelt_destination_and_type_are_refused(service: Running) -> None:
    destination = wats(service, "deliveries", "list", "--destination", "cmr")
    type_ = wats(service, "events", "list", "--types", "messages.text")

    assert (destination.returncode, "did you mean crm?" in destination.stderr) == (1, True)
    assert (type_.returncode, "did you mean message.*?" in type_.stderr) == (1, True)


def test_on_a_terminal_the_command_asks_and_draws_a_bar(service: Running, dead: Store) -> None:
    drawn = on_a_terminal("deliveries", "replay", "--state", "dead", environ=service.environ, typed="y\n")

    assert "Replay 3 deliveries? [y/N]: " in drawn
    assert "done: 3 deliveries replayed" in drawn
    assert "replaying" in drawn
    assert "#" in drawn
    assert "left to check" not in drawn


def test_a_dry_run_and_a_no_count_and_replay_nothing(service: Running, dead: Store) -> None:
    counted = wats(service, "deliveries", "replay", "--state", "dead", "--dry-run")
    of_ids = json_of(service, "deliveries", "replay", "dlv_1", "dlv_2", "--dry-run")
    refused = on_a_terminal("deliveries", "replay", "--state", "dead", environ=service.environ, typed="n\n")

    assert (counted.returncode, counted.stdout) == (0, "3 deliveries would be replayed\n")
    assert of_ids == {"matching": 2}
    assert "Replay 3 deliveries? [y/N]: Aborted!\n" in refused
    assert len(json_of(service, "deliveries", "list", "--state", "dead")["items"]) == 3


def test_json_has_the_number_of_replayed_deliveries(service: Running, dead: Store) -> None:
    assert json_of(service, "deliveries", "replay", "--state", "dead", "--since", "2099-01-01", "--yes") == {
        "replayed": 0
    }


def test_dead_letters_are_counted_and_then_discarded(service: Running, dead: Store) -> None:
    counted = wats(service, "deliveries", "discard", "--destination", "crm", "--types", "message.*", "--dry-run")
    unasked = wats(service, "deliveries", "discard", "--all")
    one = json_of(service, "deliveries", "list", "--state", "dead", "--limit", "1")["items"][0]["id"]
    single = wats(service, "deliveries", "discard", one)
    again = wats(service, "deliveries", "discard", one, "--all")
    rest = json_of(service, "deliveries", "discard", "--all", "--yes")

    assert (counted.returncode, counted.stdout) == (0, "3 dead letters would be discarded\n")
    assert (unasked.returncode, "confirm with --yes" in unasked.stderr) == (2, True)
    assert single.stdout == "done: 1 dead letter discarded\n"
    assert (again.returncode, rest) == (2, {"discarded": 2})
    assert wats(service, "deliveries", "list", "--state", "dead").stderr == "no deliveries\n"


def test_what_is_not_dead_is_not_discarded(service: Running, stored: Store) -> None:
    put_deliveries(stored, new_event(f"fine {next(NUMBERS)}"))
    settle_all(stored, Done(), status=200)
    [delivered] = stored.deliveries.page(state=DeliveryState.DELIVERED, limit=1)

    ended = wats(service, "deliveries", "discard", delivered.id)

    assert (ended.returncode, "[not_dead, request " in ended.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("deliveries", "replay"), 2, "Give either IDs or at least one option that selects deliveries."),
        (("deliveries", "replay", "dlv_1", "--state", "dead"), 2, "Give either IDs or at least one option"),
        (("deliveries", "replay", "--state", "lost"), 2, "'lost' is not one of"),
        (("deliveries", "replay", "dlv_999999"), 1, "There is no delivery dlv_999999. [not_found, request "),
        (("deliveries", "replay", "--state", "dead"), 2, "Standard input is not a terminal: confirm with --yes."),
        (("deliveries", "replay", "--destination", "cmr", "--yes"), 1, "/destination: No destination of the profile"),
        (("deliveries", "replay", "--since", "yesterday"), 2, "is no time, such as 2h (ago;"),
        (("deliveries", "replay", "--since", "999999w"), 2, "is no time, such as 2h (ago;"),
        (("deliveries", "replay", "--types", "a,,b", "--yes"), 1, "/types/1: "),
        (("deliveries", "list", "--cursor", "nonsense"), 1, "[invalid_cursor, request "),
        (("deliveries", "list", "--event", "evt_1"), 1, "[invalid_parameter, request "),
        (("deliveries", "show", "dlv_1/../x"), 1, "[not_found, request "),
        (("destinations", "pause", "cmr"), 1, "There is no such destination. [not_found, request "),
        (("destinations", "resume", "../crm"), 1, "[not_found, request "),
    ],
)
def test_a_failure_has_a_line_and_an_exit_code(
    service: Running, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = wats(service, *arguments)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_replay_to_a_paused_destination_says_that_it_waits_and_for_what(service: Running, dead: Store) -> None:
    wats(service, "destinations", "pause", "crm")

    ended = wats(service, "deliveries", "replay", "--state", "dead", "--yes")

    wats(service, "destinations", "resume", "crm")
    assert (ended.returncode, ended.stdout) == (0, "done: 3 deliveries replayed\n")
    waits = "crm is paused: 3 deliveries wait until it is resumed"
    assert ended.stderr == f"{waits}; run `flask wats destinations resume crm`\n"


def test_destinations_are_paused_and_resumed(service: Running) -> None:
    paused = json_of(service, "destinations", "pause", "crm")
    table = wats(service, "destinations", "list").stdout.splitlines()
    resumed = wats(service, "destinations", "resume", "crm").stdout

    assert paused["state"] == "paused"
    assert [line.split()[:2] for line in table] == [["name", "state"], ["crm", "paused"], ["bot", "active"]]
    assert resumed == "done: crm is active; 0 deliveries waiting, 0 dead\n"
    assert [destination["name"] for destination in json_of(service, "destinations", "list")["items"]] == [
        "crm",
        "bot",
    ]


def test_a_destination_that_does_not_accept_a_test_event_is_exit_code_1(service: Running) -> None:
    tested = wats(service, "destinations", "test", "crm")
    answer = json.loads(wats(service, "destinations", "test", "crm", "--json").stdout)

    assert (tested.returncode, tested.stderr) == (1, "error: crm did not accept the test event: connection refused\n")
    assert (answer["ok"], answer["status"], answer["error"]) == (False, None, "connection refused")


def test_dead_letters_make_status_exit_with_1(service: Running, dead: Store) -> None:
    ended = wats(service, "status")

    assert ended.returncode == 1
    assert "dead letters" in ended.stderr
    assert "\ndestinations\n" in ended.stdout
