"""The result of splitting a receipt, which the store writes in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.delivery import NewDelivery
from app.domain.event import NewEvent
from app.domain.meta.media import Media
from app.domain.trace import TraceContext


@dataclass(frozen=True)
class PendingReceipt:
    """A receipt that is to be split. `sha256` is the digest of its body, `trace` the span that its events follow."""

    id: str
    received_at: datetime
    sha256: bytes
    body: bytes
    trace: TraceContext | None = None


@dataclass(frozen=True)
class SplitEvent:
    """An event, whether it is foreign, and what to create with it if the event is new.

    `media`: the files that are to be fetched.
    """

    event: NewEvent
    foreign: bool = False
    deliveries: tuple[NewDelivery, ...] = ()
    media: tuple[Media, ...] = ()


@dataclass(frozen=True)
class SplitReceipt:
    """A receipt and its events, or the reason why it cannot be read (`unreadable`)."""

    receipt: PendingReceipt
    events: Sequence[SplitEvent] = ()
    unreadable: str | None = None


@dataclass(frozen=True)
class SplitCount:
    """How many of a receipt's events were new, and how many had come before in this or another receipt.

    `differing` of the duplicates have another item than the event that is stored, which stays as it is.
    """

    new: int
    duplicates: int
    differing: int
