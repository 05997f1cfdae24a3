"""The verdict on the end of messages finds what workers that die could do to them. No process runs."""

import json
from typing import Any

import pytest

from tests.faults.sending_verdict import Stored, faults_of

KEY, WAMID = "0f" * 16, "wamid.1"


def state(*told: str, answered: int = 200, tracker: bool = True, accepted: bool = True) -> dict[str, Any]:
    """Return what the fake knows of one message, of which it has told these statuses."""
    ours = {"biz_opaque_callback_data": f"wats1.database.{KEY}"} if tracker else {}
    statuses = [{"id": WAMID, "status": status, **ours} for status in told]
    body = json.dumps({"entry": [{"changes": [{"value": {"statuses": statuses}}]}]})
    sent = {"id": WAMID, "tracker": f"wats1.database.{KEY}"}
    return {
        "doubled": [],
        "messages": [sent] if accepted else [],
        "webhooks": [{"status": answered, "body": body}],
    }


@pytest.mark.parametrize(
    ("status", "wamid", "known"),
    [
        ("read", WAMID, state("read", "sent", "delivered")),
        ("failed", WAMID, state("sent", "failed")),
        ("accepted", WAMID, state("sent", answered=503)),
        ("unknown", None, state("failed", tracker=False)),
        ("failed", WAMID, state("failed", tracker=False)),
        ("unknown", None, state(accepted=False)),
        ("failed", None, state(accepted=False)),
    ],
)
def test_an_end_that_may_be_is_no_fault(status: str, wamid: str | None, known: dict[str, Any]) -> None:
    assert faults_of([Stored(KEY, status, wamid, "text 0")], known, 1) == []


@pytest.mark.parametrize(
    ("status", "wamid", "known"),
    [
        ("delivered", WAMID, state("sent", "delivered", "read")),
        ("accepted", WAMID, state("failed", tracker=False)),
        ("read", WAMID, state("sent", "delivered")),
        ("unknown", None, state("sent")),
        ("unknown", None, state()),
        ("read", "wamid.2", state("read")),
        ("sending", None, state(accepted=False)),
        ("accepted", WAMID, state(accepted=False)),
    ],
)
def test_an_end_that_may_not_be_is_found(status: str, wamid: str | None, known: dict[str, Any]) -> None:
    [fault] = faults_of([Stored(KEY, status, wamid, "text 0")], known, 1)

    assert fault.startswith(f"{KEY} is {status} with {wamid} here, and there [")


def test_a_message_is_found_that_was_lost_accepted_twice_or_sent_twice() -> None:
    known = {**state("sent"), "doubled": ["a tracker"]}

    faults = faults_of([Stored(KEY, "sent", WAMID, "text 0")] * 2, known, 2)

    assert faults == ["Meta has accepted a tracker again", "text 0 was accepted 2 times", "text 1 was lost"]
