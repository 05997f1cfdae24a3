"""A receipt: one webhook POST from Meta, its exact bytes and its state."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from app.domain.stored_word import StoredWord
from app.domain.trace import TraceContext

SignedWith = Literal["current", "previous"]
"""The active app secret that made the signature; there are two while a secret is rotated."""

RECEIPT_ID = re.compile(r"rcp_([1-9][0-9]{0,18})", re.ASCII)
"""A receipt's public id and the number in it."""


class ReceiptState(StoredWord):
    """The state of a receipt: not split yet, split into events, impossible to read, or that and dismissed by hand."""

    PENDING = "pending"
    SPLIT = "split"
    UNREADABLE = "unreadable"
    DISMISSED = "dismissed"


class Stored(StrEnum):
    """How a webhook was stored: as new bytes, or as a copy of known bytes. The value is the response's `status`."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class NewReceipt:
    """Bytes whose signature was verified, not stored yet. `trace`: the span of the request that brought them."""

    body: bytes
    received_at: datetime
    signed_with: SignedWith
    trace: TraceContext | None = None


@dataclass(frozen=True)
class Receipt:
    """A stored receipt without its body. `size` is in bytes.

    `duplicates`: how often the same bytes came again. `differing`: how many of its events were known already, with
    another item. `erased`: its body was erased with a contact.
    """

    id: str
    received_at: datetime
    size: int
    sha256: str
    state: ReceiptState
    events: int
    duplicates: int
    differing: int
    signed_with: SignedWith
    erased: bool = False
