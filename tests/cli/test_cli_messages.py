"""`flask wats messages …` against a running service."""

import json
import subprocess
from typing import Any

from sqlalchemy import update

from app.store import Store
from app.store.tables.message_schema import messages
from tests.support.serving import Running, run

TO = "+4915112345678"
NOWHERE = "msg_" + "0" * 32


def wats(service: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("messages", *arguments, environ=service.environ)


def json_of(service: Running, *arguments: str) -> dict[str, Any]:
    ended = wats(service, *arguments, "--json")
    assert ended.returncode == 0
    return dict(json.loads(ended.stdout))


def test_a_message_is_sent_listed_shown_and_cancelled(service: Running, stored: Store) -> None:
    sent = wats(service, "send", TO, "hi", "--key", "first")
    again = json_of(service, "send", TO, "hi", "--key", "first")
    other = wats(service, "send", TO, "other", "--key", "first")

    assert "queued" in sent.stdout
    assert "warning: no message or call from this customer is known" in sent.stderr
    assert again["id"] in sent.stdout
    assert (other.returncode, "[idempotency_conflict" in other.stderr) == (1, True)

    [listed] = wats(service, "list", "--contact", TO).stdout.splitlines()[1:]
    assert listed.split()[:5] == [again["id"], "outbound", "queued", "text", TO]
    assert [item["id"] for item in json_of(service, "list")["items"]] == [again["id"]]
    assert "no messages" in wats(service, "list", "--status", "failed").stderr
    assert again["id"] in wats(service, "show", again["id"]).stdout

    assert json_of(service, "cancel", again["id"])["status"] == "cancelled"
    assert "There is no message" in wats(service, "show", NOWHERE).stderr


def test_an_unknown_message_is_resolved(service: Running, stored: Store) -> None:
    message_id = json_of(service, "send", TO, "lost")["id"]
    message = stored.messages.get(message_id)
    assert message is not None
    stored.messages.cancel(message)
    stored.write(lambda c: c.execute(update(messages).values(status="unknown")))

    young = wats(service, "resolve", message_id, "--as", "resend")
    failed = json_of(service, "resolve", message_id, "--as", "failed")

    assert (young.returncode, "[too_young" in young.stderr) == (1, True)
    assert failed["status"] == "failed"
    assert "[not_unknown" in wats(service, "resolve", message_id, "--as", "resend", "--force").stderr


def test_all_unknown_messages_are_resolved_after_a_question(service: Running, stored: Store) -> None:
    for body in ("one", "two"):
        json_of(service, "send", "+4915177", body)
    all_queued, all_unknown = (
        ("resolve", flag, "--contact", "+4915177") for flag in ("--all-queued", "--all-unknown")
    )

    trial = wats(service, *all_queued, "--as", "unknown", "--dry-run")
    asked = wats(service, *all_queued, "--as", "unknown")
    marked = wats(service, *all_queued, "--as", "unknown", "--yes")
    young = wats(service, *all_unknown, "--as", "resend", "--yes")
    failed = json_of(service, *all_unknown, "--as", "failed", "--yes")

    assert trial.stdout == "2 messages would be marked unknown; nothing was changed\n"
    assert (asked.returncode, "confirm with --yes" in asked.stderr) == (2, True)
    assert marked.stdout == "done: 2 messages marked unknown\n"
    assert (young.stdout, "2 messages too young" in young.stderr) == ("done: 0 messages sent again\n", True)
    assert failed == {"matched": 2, "changed": 2, "young": 0}
    for wrong in (("--as", "failed"), ("--all-queued", "--as", "failed"), (NOWHERE, "--as", "failed", "--dry-run")):
        assert wats(service, "resolve", *wrong).returncode == 2


def test_a_wrong_number_is_refused_with_its_pointer(service: Running) -> None:
    refused = wats(service, "send", "015112345678", "hi")

    assert refused.returncode == 1
    assert "/to: " in refused.stderr
