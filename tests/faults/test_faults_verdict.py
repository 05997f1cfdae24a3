"""The verdict on the end of messages finds what workers that die could do to them. No process runs."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.faults.sending_verdict import Stored, faults_of, most_at_once
from tests.support.store import NOON

KEY, WAMID = "0f" * 16, "wamid.1"
RATE = 4
"""Of which three may leave at once."""


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
    assert faults_of([Stored(KEY, status, wamid, "text 0")], known, 1, RATE) == []


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
    [fault] = faults_of([Stored(KEY, status, wamid, "text 0")], known, 1, RATE)

    assert fault.startswith(f"{KEY} is {status} with {wamid} here, and there [")


def test_a_message_is_found_that_was_lost_accepted_twice_or_sent_twice() -> None:
    known = {**state("sent"), "doubled": ["a tracker"]}

    faults = faults_of([Stored(KEY, "sent", WAMID, "text 0")] * 2, known, 2, RATE)

    assert faults == ["Meta has accepted a tracker again", "text 0 was accepted 2 times", "text 1 was lost"]


@pytest.mark.parametrize(
    ("seconds", "most"),
    [([], 0), ([9, 0, 0, 0], 3), ([0, 0, 0, 0.25, 0.5, 0.75], 3), ([0, 0, 0, 0.25, 0.25], 4), ([0] * 6, 6)],
)
def test_how_many_messages_have_left_at_once_is_what_the_rate_does_not_cover(seconds: list[float], most: int) -> None:
    times = [NOON + timedelta(seconds=each) for each in seconds]

    assert most_at_once(times, RATE) == most


def test_a_pace_that_is_too_fast_is_found() -> None:
    sent = Stored(KEY, "sent", WAMID, "text 0", (NOON,) * 4)

    assert faults_of([sent], state("sent"), 1, RATE) == ["4 messages have left at once, and 3 may"]
