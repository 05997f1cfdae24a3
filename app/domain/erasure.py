"""Erase a customer in steps: the stages, the cursor between two steps, and how their ids are found in bytes."""

import re
from dataclasses import dataclass
from enum import StrEnum

CONTACT = re.compile(r"\+?[0-9]{5,15}|[A-Za-z0-9][A-Za-z0-9._-]{4,199}", re.ASCII)
"""A phone number or a user id. A shorter one would match the bytes of other customers."""

_PHONE = re.compile(r"[0-9]{5,15}", re.ASCII)


class ErasureStage(StrEnum):
    """The stages of an erasure, in this order.

    Events that hold the given id go last: an erasure that was interrupted and starts again finds the contact's
    other ids in them.
    """

    RECEIPTS = "receipts"
    OTHER_IDS = "names"  # part of the API's cursor
    CONTACT = "contact"


@dataclass(frozen=True)
class ErasureCursor:
    """The row of a stage after which the next step continues.

    `last_receipt_id`: the newest receipt at the start of the erasure, the last one to be searched.
    """

    stage: ErasureStage
    after: int
    last_receipt_id: int

    @property
    def left(self) -> int:
        """Return the largest possible number of receipts that are still to be searched."""
        return self.last_receipt_id - self.after if self.stage is ErasureStage.RECEIPTS else 0


@dataclass(frozen=True)
class EraseStep:
    """What one step erased, and the cursor of the next step; None: the erasure is complete.

    `receipts` counts the receipts whose body was cleared. `pending` and `unreadable` count receipts that name the
    contact and were kept: their bytes may hold updates about other customers that are in no event yet.
    """

    events: int = 0
    deliveries: int = 0
    receipts: int = 0
    pending: int = 0
    unreadable: int = 0
    next: ErasureCursor | None = None


def is_phone(contact_id: str) -> bool:
    """Return whether a contact's id is a phone number (without its plus sign) and not a user id."""
    return _PHONE.fullmatch(contact_id) is not None


def has_any_id(body: bytes, contact_ids: list[str]) -> bool:
    """Return whether bytes contain one of these ids. A phone number inside of a longer number does not count."""
    return any(re.search(_pattern(contact_id), body) for contact_id in contact_ids)


def _pattern(contact_id: str) -> bytes:
    literal = re.escape(contact_id.encode())
    if not is_phone(contact_id):
        return literal
    # A digit before the number makes it another number, unless the digit ends an escape such as \u00e9.
    return rb"(?:(?<![0-9])|(?<=\\u[0-9a-fA-F]{4}))" + literal + rb"(?![0-9])"
