"""Erasing a customer: who is meant, and how far a stepwise erasure has come."""

import re
from dataclasses import dataclass
from enum import StrEnum

CONTACT = re.compile(r"\+?[0-9]{5,15}|[A-Za-z0-9][A-Za-z0-9._-]{4,199}", re.ASCII)
"""A phone number or a user id. Shorter ones would be found in everybody's bytes."""

_PHONE = re.compile(r"[0-9]{5,15}", re.ASCII)


class ErasureStage(StrEnum):
    """What an erasure goes through, in this order.

    Events that name the contact itself go last: they tell which other names it has, should the erasure break off
    and be begun again.
    """

    RECEIPTS = "receipts"
    OTHER_NAMES = "names"
    CONTACT = "contact"


@dataclass(frozen=True)
class ErasureCursor:
    """Where an erasure goes on: after this row of a stage. `last_receipt_id`: the last receipt there was when it began."""

    stage: ErasureStage
    after: int
    last_receipt_id: int

    @property
    def left(self) -> int:
        """At most so many receipts are still to be searched."""
        return self.last_receipt_id - self.after if self.stage is ErasureStage.RECEIPTS else 0


@dataclass(frozen=True)
class EraseStep:
    """What one step has erased, and where the next one goes on; None: all is done.

    `receipts` counts those whose bytes were wiped. `pending` and `unreadable` ones name the contact too, but were
    left: their bytes may hold what happened to others and is in no event yet.
    """

    events: int = 0
    deliveries: int = 0
    receipts: int = 0
    pending: int = 0
    unreadable: int = 0
    next: ErasureCursor | None = None


def is_phone(name: str) -> bool:
    """Tells whether a contact's name is a phone number, without its plus sign, and not a user id."""
    return _PHONE.fullmatch(name) is not None


def names_in(body: bytes, names: list[str]) -> bool:
    """Tells whether bytes name one of these. A phone number that is part of a longer one is another."""
    return any(re.search(_pattern(name), body) for name in names)


def _pattern(name: str) -> bytes:
    """What stands before a number may be an escaped character whose last digit is none of the number's."""
    written = re.escape(name.encode())
    return rb"(?:(?<![0-9])|(?<=\\u[0-9a-fA-F]{4}))" + written + rb"(?![0-9])" if is_phone(name) else written
