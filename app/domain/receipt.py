"""A receipt: one webhook POST from Meta, its exact bytes, and what became of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

SignedWith = Literal["current", "previous"]
"""Which of the active app secrets the signature was made with, while one is rotated."""

RECEIPT_ID = re.compile(r"rcp_([1-9][0-9]{0,18})", re.ASCII)
"""A receipt's public id and the number in it."""


class ReceiptState(StrEnum):
    """What has become of a receipt: not looked at yet, split into events, or impossible to read."""

    PENDING = "pending"
    SPLIT = "split"
    UNREADABLE = "unreadable"


class Stored(StrEnum):
    """How a webhook was taken: new bytes, or bytes already held. The value is the word of our answer."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class NewReceipt:
    """Verified bytes on their way into the store."""

    body: bytes
    received_at: datetime
    signed_with: SignedWith


@dataclass(frozen=True)
class Receipt:
    """A receipt as the store remembers it, without its bytes. `size` is in bytes."""

    id: str
    received_at: datetime
    size: int
    sha256: str
    state: ReceiptState
    events: int
    duplicates: int
    signed_with: SignedWith
