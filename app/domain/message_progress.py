"""How a message changes with each report about it. Every order of the same reports leads to the same end."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.message import UNANSWERED, UNFINISHED, HistoryEntry, Message, MessageStatus, later_status

OF_EACH_ATTEMPT = (MessageStatus.UNKNOWN, MessageStatus.ACCEPTED)
"""The statuses that the gateway reports about each POST. Meta's statuses are about the message."""


@dataclass(frozen=True)
class StatusReport:
    """A new status of a message: from Meta's answer, from a webhook, or from the gateway itself."""

    status: MessageStatus
    at: datetime
    wamid: str | None = None
    error: dict[str, Any] | None = None
    pricing: dict[str, Any] | None = None
    meta_status: str | None = None
    meta_contact: dict[str, str] | None = None


def next_message(message: Message, report: StatusReport) -> Message:
    """Return the message after a report. Its history gets each of Meta's statuses once, and what the gateway reports
    about a POST once for each POST.

    An error stays, also when a later report has none, or one without a code of Meta's. Each member of a group has a
    status: the first one counts. A second wamid proves that Meta has accepted the message twice.
    """
    entries = _of_last_attempt(message) if report.status in OF_EACH_ATTEMPT else message.history
    is_known = any(entry.status == report.status for entry in entries)
    return message._replace(
        status=later_status(message.status, report.status),
        wamid=message.wamid or report.wamid,
        second_wamid=message.second_wamid or _second_wamid(message, report),
        history=message.history if is_known else (*message.history, HistoryEntry(report.status, report.at)),
        error=_error(message.error, report.error),
        pricing=report.pricing or message.pricing,
        meta_status=report.meta_status or message.meta_status,
        meta_contact=report.meta_contact or message.meta_contact,
    )


def next_after_status(message: Message, report: StatusReport, resends: int | None) -> Message:
    """Return the message after a status of the attempt that began after this many resends; None: of the last one.

    The wamid of an attempt before an operator sent the message again is not the message's, and its failure is old.
    """
    if resends is None or resends >= message.resends:
        return next_message(message, report)
    return message if report.status is MessageStatus.FAILED else next_message(message, replace(report, wamid=None))


def _error(known: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    says_less = known is not None and "code" in known and "code" not in (new or {})
    return known if says_less else new or known


def accepted_since(before: Message, after: Message) -> datetime | None:
    """Return when the POST began of which a status is the first word that Meta has accepted it; None if it is not.

    The status may be late: a phone that was off reports `read` a day after the message was accepted.
    """
    if before.status not in UNANSWERED or after.status in UNANSWERED:
        return None
    begun = [entry.at for entry in after.history if entry.status == MessageStatus.SENDING]
    return begun[-1] if begun else after.history[-1].at


def is_cut_off(message: Message, attempt: Message) -> bool:
    """Return whether nothing is known yet of the POST that began as `attempt`, and no other one began since."""
    is_open = message.status in (MessageStatus.SENDING, MessageStatus.UNKNOWN)
    return is_open and _last_attempt(message) == _last_attempt(attempt)


def without_last_attempt(message: Message) -> Message:
    """Return a message that waits again, as if its last POST had not been begun."""
    at = max(at for at, entry in enumerate(message.history) if entry.status == MessageStatus.SENDING)
    return message._replace(status=MessageStatus.QUEUED, history=message.history[:at])


def without_refusal(message: Message) -> Message:
    """Return a message without the error of an attempt that Meta refused. An error that a status named stays."""
    has_failed = any(entry.status == MessageStatus.FAILED for entry in _of_last_attempt(message))
    return message if has_failed else message._replace(error=None)


def _of_last_attempt(message: Message) -> tuple[HistoryEntry, ...]:
    """Return the entries of the history since the message was last queued or being sent."""
    begun = [at for at, entry in enumerate(message.history) if entry.status in UNFINISHED]
    return message.history[max(begun, default=0) :]


def _last_attempt(message: Message) -> tuple[int, list[datetime]]:
    begun = [entry.at for entry in message.history if entry.status == MessageStatus.SENDING]
    return message.resends, begun[-1:]


def _second_wamid(message: Message, report: StatusReport) -> str | None:
    return None if message.wamid in (None, report.wamid) else report.wamid
