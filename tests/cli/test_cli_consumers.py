"""`flask wats consumers …` and `flask wats conversations …` against a running service."""

import json
import subprocess

import pytest

from app.store import Store
from tests.support.events import new_event, put_events
from tests.support.serving import Running, run
from tests.support.terminal import on_a_terminal


def wats(service: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(*arguments, environ=service.environ)


def test_a_consumer_is_moved_listed_shown_and_deleted(service: Running, stored: Store) -> None:
    put_events(stored, *(new_event(f"for consumers {n}") for n in range(3)))
    start = stored.events.latest() - 3
    first = json.loads(wats(service, "events", "list", "--oldest", "--limit", "1", "--json").stdout)["nextCursor"]

    wats(service, "consumers", "ack", "crm", first)
    listed = wats(service, "consumers", "list").stdout.splitlines()
    skipped = json.loads(wats(service, "consumers", "ack", "crm", "latest", "--json").stdout)
    shown = wats(service, "consumers", "show", "crm").stdout
    deleted = wats(service, "consumers", "delete", "crm", "--yes")
    gone = wats(service, "consumers", "show", "crm")

    again = json.loads(wats(service, "consumers", "ack", "later", "--since", "2026-01-02T11:00:00Z", "--json").stdout)
    both = wats(service, "consumers", "ack", "later", "latest", "--since", "2h")

    assert again["lag"] > 0
    assert (both.returncode, "Give either a CURSOR or --since." in both.stderr) == (2, True)
    assert [line.split()[:2] for line in listed] == [["name", "lag"], ["crm", str(start + 2)]]
    assert skipped["lag"] == 0
    assert "lag             0\n" in shown
    assert (deleted.returncode, deleted.stdout) == (0, "done: crm is deleted\n")
    assert (gone.returncode, "There is no such consumer." in gone.stderr) == (1, True)


@pytest.mark.parametrize("kind", ["messages", "events", "receipts", "deliveries"])
def test_an_unknown_id_is_told_with_its_cause_and_where_the_known_ones_are(service: Running, kind: str) -> None:
    shown = wats(service, kind, "show", "nope")

    cure = f"; the id is wrong, or older than `retention.days`: `flask wats {kind} list` shows those that are there\n"
    assert (shown.returncode, shown.stdout, shown.stderr.endswith(cure)) == (1, "", True), shown.stderr


@pytest.mark.parametrize(("kind", "verb"), [("consumers", "show"), ("destinations", "pause")])
def test_an_unknown_name_is_told_with_where_the_known_ones_are(service: Running, kind: str, verb: str) -> None:
    shown = wats(service, kind, verb, "nope")

    assert shown.stderr.endswith(f"; the name is wrong: `flask wats {kind} list` shows those that are there\n")


def test_a_path_that_no_service_has_is_no_wrong_id(service: Running) -> None:
    away = wats(service, "messages", "show", "nope", "--url", f"http://127.0.0.1:{service.port}/elsewhere")

    assert (away.returncode, "the id is wrong" in away.stderr) == (1, False)


def test_deleting_a_consumer_is_confirmed(service: Running) -> None:
    wats(service, "consumers", "ack", "kept", "latest")

    refused = wats(service, "consumers", "delete", "kept")
    declined = on_a_terminal("consumers", "delete", "kept", environ=service.environ, typed="n\n")

    assert (refused.returncode, "confirm with --yes" in refused.stderr) == (2, True)
    assert "Delete the consumer kept? [y/N]: Aborted!" in declined
    assert wats(service, "consumers", "show", "kept").returncode == 0


def test_conversations_have_messages_and_a_window(service: Running) -> None:
    wats(service, "messages", "send", "+15550009999", "hello")

    listed = wats(service, "conversations", "list")
    messages = wats(service, "conversations", "messages", "+15550009999").stdout.splitlines()
    window = json.loads(wats(service, "conversations", "window", "+15550009999", "--json").stdout)
    foreign = wats(service, "conversations", "window", "+15550009999", "--number", "1")
    nobody = wats(service, "conversations", "window", "00ab")

    assert listed.returncode == 0
    assert messages[0].split()[:3] == ["id", "direction", "status"]
    assert messages[1].split()[1:3] == ["outbound", "queued"]
    assert window == {"open": False, "lastInboundAt": None, "expiresAt": None, "remainingSeconds": 0}
    assert "phoneNumberId must be one of the profile's numbers." in foreign.stderr
    assert (nobody.returncode, "such as +491701234567" in nobody.stderr) == (1, True)
