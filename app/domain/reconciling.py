"""When Meta is asked about a message whose statuses have not come.

Each round asks about a message once at most, when it has reached the round's age and its status is still one of the
round's. A round walks the messages in the order of their rows and never goes back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.clock import CLOCK_TOLERANCE
from app.domain.message import MessageStatus

QUIET = timedelta(minutes=15)
"""A message whose status is younger is waited for: Meta's next webhook may be on its way."""

TOO_OLD = timedelta(days=14)
"""Twice as long as Meta repeats a webhook. How long it keeps the history of a message it does not say."""

ONLY_SENT = ("reaction",)
"""Types of messages that get no status after `sent`."""


@dataclass(frozen=True)
class Round:
    """`age`: how old a message is when it is asked about. `statuses`: those that may not be its last."""

    number: int
    age: timedelta
    statuses: Collection[MessageStatus]


ROUNDS = (
    Round(0, QUIET, (MessageStatus.ACCEPTED,)),
    Round(1, timedelta(days=1), (MessageStatus.ACCEPTED, MessageStatus.SENT)),
    Round(2, timedelta(days=8), (MessageStatus.ACCEPTED, MessageStatus.SENT)),
)
"""The first finds lost statuses soon: Meta reports `sent` within seconds. At the last Meta repeats no webhook."""


@dataclass(frozen=True)
class Candidate:
    """A message that a round may ask about."""

    row_id: int
    phone_number_id: str
    wamid: str


@dataclass(frozen=True)
class RoundStep:
    """The result of one step: a message to ask about, or None. `is_end`: no other message is old enough."""

    candidate: Candidate | None = None
    is_end: bool = False


def is_younger(at: datetime, than: timedelta, now: datetime) -> bool:
    """Return whether `at` is less than this ago. A future time comes from a clock that was ahead: it is old."""
    return now - than < at <= now + CLOCK_TOLERANCE
