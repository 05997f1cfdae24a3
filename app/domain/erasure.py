"""Erase a customer in steps: names, the stages, the cursor between two steps, and how names are found in bytes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

CONTACT = re.compile(r"\+?[0-9]{5,15}|[A-Za-z0-9][A-Za-z0-9._-]{4,199}", re.ASCII)
"""A phone number or a user id. A shorter one would match the bytes of other customers."""

_PHONE = re.compile(r"[0-9]{5,15}", re.ASCII)


@dataclass(frozen=True)
class ContactName:
    """A name of the contact that is erased: the given one, or one that an event of the contact also has.

    `without_user_id`: only an event without a user id is found by this name. It is a phone number that a user id has
    led to, and an event of this number that has another user id may be about another person.

    `changes`: the events of a change from or to this number that name no user id, and are about this customer.
    """

    text: str
    without_user_id: bool = False
    changes: tuple[int, ...] = ()


class ErasureStage(StrEnum):
    """The stages of an erasure, in this order.

    Events go last, and then the links of names, because the contact's other names are found in them: also by an
    erasure that was interrupted and starts again. Then comes the file of SQLite, which keeps some bytes of deleted
    rows.
    """

    RECEIPTS = "receipts"
    OTHERS = "others"
    MESSAGES = "messages"
    EVENTS = "events"
    FILE = "file"


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
    """The result of one step of an erasure, and the cursor of the next step; None: the erasure is complete.

    `messages` counts those to the contact.

    `receipts` counts the receipts whose body was erased. `pending` and `unreadable` count receipts that name the
    contact and were kept: their bytes may hold updates about other customers that are in no event yet. `remaining`
    are the ids of events that name the contact and are kept: they are about another customer, or about none.
    """

    events: int = 0
    deliveries: int = 0
    messages: int = 0
    receipts: int = 0
    pending: int = 0
    unreadable: int = 0
    remaining: tuple[str, ...] = ()
    next: ErasureCursor | None = None


def is_phone(name: str) -> bool:
    """Return whether a contact's name is a phone number (without its plus sign) and not a user id."""
    return _PHONE.fullmatch(name) is not None


def has_any_name(content: bytes, names: Iterable[ContactName]) -> bool:
    """Return whether bytes contain one of these names. A phone number inside of a longer number does not count."""
    return any(re.search(_pattern(name.text), content) for name in names)


def _pattern(name: str) -> bytes:
    literal = re.escape(name.encode())
    if not is_phone(name):
        return literal
    # A digit before the number makes it another number, unless the digit ends an escape such as \u00e9.
    return rb"(?:(?<![0-9])|(?<=\\u[0-9a-fA-F]{4}))" + literal + rb"(?![0-9])"
