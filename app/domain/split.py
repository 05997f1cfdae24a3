"""What became of a receipt that was looked at, for the store to write down in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.delivery import NewDelivery
from app.domain.event import NewEvent


@dataclass(frozen=True)
class PendingReceipt:
    """A receipt that waits to be split. `sha256` is of its bytes."""

    id: str
    received_at: datetime
    sha256: bytes
    body: bytes


@dataclass(frozen=True)
class SplitEvent:
    """An event, whether its number is foreign, and the deliveries to make with it if it is a new one."""

    event: NewEvent
    foreign: bool = False
    deliveries: tuple[NewDelivery, ...] = ()


@dataclass(frozen=True)
class SplitReceipt:
    """A receipt and the events in it; or why it cannot be read."""

    receipt: PendingReceipt
    events: Sequence[SplitEvent] = ()
    unreadable: str | None = None


@dataclass(frozen=True)
class SplitCount:
    """How many of a receipt's events were new, and how many had come before, in this receipt or another."""

    new: int
    duplicates: int
