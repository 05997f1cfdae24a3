"""A message from the application to Meta: what it is, and how far it has come.

Its status moves forward only, whatever the order in which Meta's statuses come: the status of the highest rank wins,
so that every order of the same statuses leads to the same end.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from app.domain.stored_word import StoredWord
from app.domain.trace import TraceContext
from app.domain.window import Window, WindowPolicy

Endpoint = Literal["messages", "marketing_messages"]
"""The Graph endpoint that takes the message."""

MAX_TYPE_LENGTH = 40
"""The longest `type` of a message, also of one that wats does not know. The longest of Meta's words has 24."""

PREFIX = "msg_"
MESSAGE_ID = re.compile(rf"{PREFIX}([0-9a-f]{{32}})", re.ASCII)
"""A message's public id; group 1 is its 128 bits: 48 of its time in milliseconds, 80 at random."""

SEND_KIND = "send"
SEND_QUEUE = f"{SEND_KIND}:"
"""The prefix of a number's queue; its phone number id follows."""


class MessageStatus(StoredWord):
    """How far a message has come, in the order of ranks: a message only goes to a status of a higher rank.

    `unknown`: it was being sent when the answer was lost; it may have been accepted. `failed` ranks below
    `delivered`: what a customer's phone has received did not fail, and the failure is recorded beside it.
    """

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"


_RANK = {status: rank for rank, status in enumerate(MessageStatus)}
UNFINISHED = (MessageStatus.QUEUED, MessageStatus.SENDING)
"""A message with one of these statuses has a job."""

UNANSWERED = (*UNFINISHED, MessageStatus.UNKNOWN, MessageStatus.CANCELLED, MessageStatus.EXPIRED)
"""Statuses of a message for which no acceptance or refusal by Meta is known."""


class IdempotencyKey(NamedTuple):
    """The SHA-256 of a client's key, and of the request that it came with. Every token uses the same keys.

    The key itself is not kept: a client may have put a phone number into it. After `lifetime` it is free again.
    """

    sha256: bytes
    request_sha256: bytes
    lifetime: timedelta


class NewMessage(NamedTuple):
    """A message to accept, checked already.

    `body` is the JSON object that Meta gets, without a tracker. `tracker` is the client's own. `window_exempt`: it
    may be sent outside the customer service window. `window_policy`: what holds for one that may not. `is_late`: a
    time in it is over, so that it is accepted only as a repeat. `trace`: the span of the request.
    """

    id: str
    phone_number_id: str
    endpoint: Endpoint
    type: str
    body: bytes
    lifetime: timedelta
    to: str | None = None
    recipient: str | None = None
    tracker: str | None = None
    window_exempt: bool = False
    window_policy: WindowPolicy = "off"
    is_late: bool = False
    key: IdempotencyKey | None = None
    trace: TraceContext | None = None

    @property
    def id_bytes(self) -> bytes:
        """The 16 bytes of its id."""
        return bytes.fromhex(self.id.removeprefix(PREFIX))

    @property
    def queue(self) -> str:
        """The queue of the number that sends it."""
        return queue_of_number(self.phone_number_id)

    @property
    def contact_name(self) -> str:
        """The name of the contact that it goes to."""
        return name_sent_to(self.to, self.recipient)


@dataclass(frozen=True)
class HistoryEntry:
    """A status that the message had, and since when: by Meta's clock if Meta reported it, otherwise by ours."""

    status: str
    at: datetime


class Message(NamedTuple):
    """A stored message. `error` and `pricing` are Meta's objects, unchanged; `meta_status` its `message_status`,
    `meta_contact` the `wa_id` and `user_id` of its answer.

    `resends`: how often an operator has sent it again. `tracker`: the client's own, not the one that Meta gets.
    `second_wamid`: Meta has accepted it twice.
    """

    id: str
    row_id: int
    phone_number_id: str
    contact: int
    endpoint: Endpoint
    status: MessageStatus
    type: str
    to: str | None
    recipient: str | None
    wamid: str | None
    resends: int
    tracker: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    history: tuple[HistoryEntry, ...]
    meta_status: str | None = None
    meta_contact: dict[str, str] | None = None
    error: dict[str, Any] | None = None
    pricing: dict[str, Any] | None = None
    second_wamid: str | None = None


class AcceptedMessage(NamedTuple):
    """The result of accepting. `is_replay`: the key was used before, for the same; the message is the first one's.
    `window`: None if it was not looked at.
    """

    message: Message
    is_replay: bool
    window: Window | None = None


class Unaccepted(Enum):
    """Why nothing was accepted: the key was used before, for another request, or for a message that is erased; or a
    time in the message is over."""

    KEY_CONFLICT = "key_conflict"
    ERASED = "erased"
    LATE = "late"


@dataclass(frozen=True)
class WindowClosed:
    """Nothing was accepted, and no key is used: the customer service window is closed, and the policy enforces it."""

    window: Window


Acceptance = AcceptedMessage | Unaccepted | WindowClosed


def new_message_id(now: datetime) -> str:
    """Return an id that no other message has. Ids sort by time, so that an index of them grows at its end."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    return f"{PREFIX}{milliseconds:012x}{secrets.token_hex(10)}"


def queue_of_number(phone_number_id: str) -> str:
    """Return the name of the queue of a number's messages."""
    return f"{SEND_QUEUE}{phone_number_id}"


def name_sent_to(to: str | None, recipient: str | None) -> str:
    """Return the name of the contact that a message goes to: a phone number without its plus sign, a user id, or a
    group id.

    Where both are given Meta takes `to`. That both are one customer is what a client says, and it may be wrong: only
    what Meta says makes two names one contact's.
    """
    return (to or recipient or "").removeprefix("+")


@lru_cache(maxsize=1000)
def contact_number(name: str) -> int:
    """Return the number of the contact with this name, unless the name is linked to another contact: 63 bits."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 1


def later_status(current: MessageStatus, new: MessageStatus) -> MessageStatus:
    """Return the status after one more has come. An earlier one changes nothing, nor does one of newer code."""
    return max(current, new, key=lambda status: _RANK.get(status, -1))
