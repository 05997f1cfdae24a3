"""What Meta's history of a message says, read tolerantly."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.meta.message_history import statuses_of_history

SENT, READ = ({"delivery_status": word, "timestamp": 1767355200} for word in ("SENT", "READ"))
FAILED = {"delivery_status": "FAILED", "timestamp": "1767355200"}


def history(*events: Any, wamid: str = "wamid.A") -> dict[str, Any]:
    return {"data": [{"id": "1", "message_id": wamid, "events": {"data": list(events)}}]}


def test_the_statuses_of_a_message_are_read() -> None:
    told = statuses_of_history(history(SENT, READ), "wamid.A", "1")

    assert [update.status for update in told] == ["sent", "read"]
    assert {(update.wamid, update.at, update.has_tracker) for update in told} == {
        ("wamid.A", datetime(2026, 1, 2, 12, tzinfo=UTC), False)
    }


def test_a_failure_says_why() -> None:
    [plain, told] = statuses_of_history(history(FAILED, {**FAILED, "error_description": "gone"}), "wamid.A", "1")

    assert plain.error is not None
    assert told.error == {"message": "gone", "class": "other"}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"data": []},
        {"data": [1, {"message_id": "wamid.A"}]},
        history(SENT, wamid="wamid.B"),
        history({"delivery_status": "SENT"}, {"delivery_status": "LOST", "timestamp": 1767355200}, 1),
    ],
)
def test_what_says_nothing_of_the_message_is_left_out(answer: Any) -> None:
    assert statuses_of_history(answer, "wamid.A", "1") == []
