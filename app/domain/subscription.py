"""Which events a destination gets, and which of them must keep their order."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.delivery import NewDelivery
from app.domain.event import ASKED_FOR_ONLY, NewEvent, type_matches


class Subscriber(Protocol):
    """The settings of a destination that choose its events.

    `ordering`: `none` or `conversation`. `format`: `events` or `meta`.
    """

    @property
    def name(self) -> str: ...
    @property
    def types(self) -> Sequence[str]: ...
    @property
    def phone_number_ids(self) -> Sequence[str]: ...
    @property
    def ordering(self) -> str: ...
    @property
    def format(self) -> str: ...


@dataclass(frozen=True)
class Ours:
    """The WhatsApp Business accounts and phone numbers of the profile. Events of all others are foreign."""

    waba_ids: frozenset[str]
    phone_number_ids: frozenset[str]

    @property
    def sole_account(self) -> str | None:
        """The account of every number; None if there are several."""
        return next(iter(self.waba_ids)) if len(self.waba_ids) == 1 else None

    def has(self, event: NewEvent) -> bool:
        """Return whether the account and the phone number of an event, where it names them, are ours."""
        return self.has_source(event.waba_id, event.phone_number_id)

    def has_source(self, waba_id: str | None, phone_number_id: str | None) -> bool:
        """Return whether an account and a phone number, where they are known, are ours."""
        is_of_account = waba_id is None or waba_id in self.waba_ids
        return is_of_account and (phone_number_id is None or phone_number_id in self.phone_number_ids)


def deliveries_of(
    event: NewEvent, *, ours: Ours, subscribers: Iterable[Subscriber]
) -> tuple[NewDelivery, ...] | None:
    """Return the deliveries to make with an event; None if the event is foreign."""
    if not ours.has(event):
        return None
    return tuple(
        NewDelivery(subscriber.name, order_key(event) if subscriber.ordering == "conversation" else None)
        for subscriber in subscribers
        if wants(subscriber.types, subscriber.phone_number_ids, event) and _has_form(event, subscriber.format)
    )


def wants(types: Sequence[str], phone_number_ids: Sequence[str], event: NewEvent) -> bool:
    """Return whether a destination with these type globs and numbers (none: all of them) gets the event.

    An event without a number, such as a template's, belongs to the account and passes the filter of numbers.
    """
    of_number = not phone_number_ids or event.phone_number_id is None or event.phone_number_id in phone_number_ids
    return of_number and type_matches(event.type, types)


def _has_form(event: NewEvent, format_: str) -> bool:
    """Return whether an event can be written in a destination's format: Meta has no form for events of our own."""
    return format_ != "meta" or not event.type.startswith(ASKED_FOR_ONLY)


def order_key(event: NewEvent) -> int | None:
    """Return what the events of one conversation share: 63 bits of a digest of number and customer.

    None without a customer. The user id comes first, because it stays when the phone number is hidden.
    """
    contact = event.contact.user_id or event.contact.wa_id
    if contact is None:
        return None
    digest = hashlib.sha256(f"{event.phone_number_id or ''} {contact}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
