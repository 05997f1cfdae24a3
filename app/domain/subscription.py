"""What a destination wants, and which of its events must not overtake each other."""

import hashlib
from collections.abc import Sequence

from app.domain.event import NewEvent
from app.domain.type_globs import type_matches


def wants(types: Sequence[str], phone_number_ids: Sequence[str], event: NewEvent) -> bool:
    """Tells whether a destination with these type globs and numbers (none: all of them) wants the event.

    An event of no number, such as a template's, is the account's and passes the filter of numbers.
    """
    of_number = not phone_number_ids or event.phone_number_id is None or event.phone_number_id in phone_number_ids
    return of_number and type_matches(event.type, types)


def order_key(event: NewEvent) -> int | None:
    """What events of one conversation share: 63 bits of a digest of the number and the customer. None without one.

    The user id comes first, because it stays when the phone is hidden.
    """
    contact = event.contact.user_id or event.contact.wa_id
    if contact is None:
        return None
    digest = hashlib.sha256(f"{event.phone_number_id or ''} {contact}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
