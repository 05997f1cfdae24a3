"""What is said of a message changes it: its history, and its error."""

from datetime import timedelta
from typing import Any

from app.domain.message import HistoryEntry, Message, MessageStatus
from app.domain.message_progress import StatusReport, accepted_since, next_message
from tests.support.messages import stored_message
from tests.support.store import NOON

MINUTE = timedelta(minutes=1)
CODED = {"code": 131047, "message": "Re-engagement message", "class": "request", "hint": "send a template"}


def message(*history: str, error: dict[str, Any] | None = None) -> Message:
    """A message with this history, an entry each minute."""
    entries = tuple(HistoryEntry(status, NOON + at * MINUTE) for at, status in enumerate(history))
    return stored_message(status=MessageStatus(history[-1]), history=entries, error=error)


def told(before: Message, status: str, error: dict[str, Any] | None = None) -> Message:
    return next_message(before, StatusReport(MessageStatus(status), NOON + timedelta(hours=1), error=error))


def test_the_lost_answer_of_each_attempt_is_reported() -> None:
    again = message("queued", "sending", "unknown", "queued", "sending")

    found = told(again, "unknown")

    assert [entry.status for entry in found.history] == [entry.status for entry in again.history] + ["unknown"]
    assert told(found, "unknown").history == found.history


def test_a_status_of_metas_is_in_the_history_once_whatever_the_attempt() -> None:
    again = message("queued", "sending", "delivered", "queued", "sending")

    assert told(again, "delivered").history == again.history


def test_an_error_with_a_code_is_replaced_only_by_another_one_with_a_code() -> None:
    failed = message("queued", "sending", "failed", error=CODED)

    assert told(failed, "failed", {"message": "other words", "class": "other"}).error == CODED
    assert told(failed, "failed", {"code": 131026}).error == {"code": 131026}
    assert told(message("queued", "sending"), "failed", {"message": "words"}).error == {"message": "words"}


def test_a_status_tells_of_a_lost_answer_once_and_the_post_was_when_it_began() -> None:
    unknown = message("queued", "sending", "unknown")
    sent = told(unknown, "sent")

    assert accepted_since(unknown, sent) == NOON + MINUTE
    assert accepted_since(sent, told(sent, "read")) is None
    assert accepted_since(unknown, unknown) is None
    assert accepted_since(message("queued"), told(message("queued"), "sent")) == NOON + timedelta(hours=1)
