"""Decisions of a person about one message, or about all that a selection chooses."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.message import MessageStatus


class Decision(StrEnum):
    """A person's decision about messages. An unknown one fails or is sent again; a queued one is cancelled.

    A queued message of a restored backup may have been sent since the backup was made: then it is unknown.
    """

    FAILED = "failed"
    RESEND = "resend"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def about(self) -> MessageStatus:
        """The status of the messages that it is about. Those with another one stay as they are."""
        is_about_unknown = self in (Decision.FAILED, Decision.RESEND)
        return MessageStatus.UNKNOWN if is_about_unknown else MessageStatus.QUEUED


@dataclass(frozen=True)
class MessageSelection:
    """Which messages to decide about: to a contact, of a number, accepted in a range (`until` excluded).

    `settled_before`: an unknown one that has changed since then is young; its status may still come.
    """

    contact: str | None = None
    phone_number_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    settled_before: datetime | None = None


@dataclass(frozen=True)
class DecisionStep:
    """One step: how many messages the selection chose, how many were changed, and how many are too young.

    A chosen one that is being sent already, or was decided about meanwhile, is not changed. `next`: the row after
    which the next step begins; None: this was the last one.
    """

    matched: int
    changed: int
    young: int
    next: int | None
