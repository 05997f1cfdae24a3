"""What of a status needs a human. The status is the one that `/status` answers."""

from typing import Any

import pytest

from app.health.alerts import concerns_of

QUIET: dict[str, Any] = {
    "workers": [{"fresh": True}],
    "receipts": {"pending": 3, "unreadable": 0, "oldestPendingSeconds": 2.5},
    "destinations": [{"name": "crm", "state": "active", "waiting": 3, "dead": 0, "lastError": "HTTP 500"}],
    "deadLetters": 0,
}


def test_a_quiet_night_needs_nobody() -> None:
    assert concerns_of(QUIET) == []


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"workers": []}, "no_worker"),
        ({"workers": [{"fresh": False}]}, "no_worker"),
        ({"receipts": {"pending": 3, "unreadable": 0, "oldestPendingSeconds": 61.2}}, "receipts_wait"),
        ({"receipts": {"pending": 0, "unreadable": 2, "oldestPendingSeconds": None}}, "unreadable"),
        ({"destinations": [{"name": "crm", "state": "open", "waiting": 3, "lastError": "timed out"}]}, "open"),
        ({"destinations": [{"name": "crm", "state": "disabled", "lastError": "HTTP 410"}]}, "disabled"),
        ({"deadLetters": 1}, "dead_letters"),
    ],
)
def test_what_needs_a_human_is_told_by_its_code(part: dict[str, Any], code: str) -> None:
    concerns = concerns_of({**QUIET, **part})

    assert [concern["code"] for concern in concerns] == [code]


def test_a_destination_that_a_human_paused_needs_no_other() -> None:
    paused = {"name": "crm", "state": "paused", "waiting": 3, "dead": 0, "lastError": None}

    assert concerns_of({**QUIET, "destinations": [paused]}) == []


def test_one_live_worker_among_dead_ones_is_enough() -> None:
    assert concerns_of({**QUIET, "workers": [{"fresh": False}, {"fresh": True}]}) == []
