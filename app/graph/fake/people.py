"""The customers: their ids, when they last wrote, and how they came."""

import hashlib
from dataclasses import replace
from typing import Any

from app.graph.fake.behaviours import Behaviour, test_number
from app.graph.fake.check_message import digits_of
from app.graph.fake.meta import Meta
from app.graph.fake.statuses import FREE_ENTRY_SECONDS, Recipient
from app.graph.fake.values import Json

WINDOW_SECONDS = 24 * 3600
PARTICIPANTS = ("9990000000", "9990000001")
"""The participants of a group that was not made here."""


def person_of(meta: Meta, address: str) -> Recipient:
    """Return the customer with these digits or this user id."""
    if test := test_number(address):
        return Recipient(f"999000{test}", user_id_of(address))
    if known := meta.state.get("person", address):
        return Recipient(**known)
    if "." in address:
        return Recipient(None, address)
    return Recipient(address, user_id_of(address))


def user_id_of(digits: str) -> str:
    """Return the user id of a customer with this number, or of the test number with this user id."""
    if test := test_number(digits):
        return f"XX.FAKE{test}"
    return f"US.{int(hashlib.sha256(digits.encode()).hexdigest(), 16) % 10**20:020d}"


def introduce(meta: Meta, person: Recipient) -> None:
    """Remember that a number and a user id are one customer's."""
    known = {"wa_id": person.wa_id, "user_id": person.user_id}
    for name in (person.wa_id, person.user_id):
        if name is not None:
            meta.state.put("person", name, known)


def meet(meta: Meta, person: Recipient) -> None:
    """Remember the number and the user id of a customer who was written to by number, unless both are known."""
    is_whole = person.wa_id is not None and person.user_id is not None and test_number(person.wa_id) is None
    if is_whole and meta.state.get("person", person.user_id or "") is None:
        introduce(meta, person)


def address_of(body: Json) -> str:
    """Return the digits, the user id or the group that a message goes to."""
    if "to" not in body:
        return str(body["recipient"])
    return str(body["to"]) if body.get("recipient_type") == "group" else digits_of(body["to"]) or ""


def key_of(person: Recipient) -> str:
    """Return the one key of a customer, whichever id was used."""
    return person.wa_id or person.user_id or ""


def as_seen(person: Recipient, behaviour: Behaviour) -> Recipient:
    """Return a recipient as answers and statuses name it: some without a number, some with another spelling of it."""
    if behaviour.is_known_by_user_id_only:
        return replace(person, wa_id=None)
    if behaviour.loses_a_digit and person.wa_id:
        return replace(person, wa_id=person.wa_id[:4] + person.wa_id[5:])
    return person


def note_inbound(meta: Meta, number_id: str, person: Recipient, *, has_referral: bool) -> None:
    """Remember that a customer wrote to, or called, a number just now: it opens the window."""
    now = meta.clock.now()
    entry = {"referral_at": now, "free_until": None} if has_referral else {}
    meta.state.update("window", pair_of(number_id, person), lambda old: {**(old or {}), "at": now, **entry})


def is_window_open(meta: Meta, number_id: str, person: Recipient) -> bool:
    """Return whether a customer wrote to a number within 24 hours."""
    last = meta.state.get("window", pair_of(number_id, person))
    return bool(last) and meta.clock.now() - last["at"] < WINDOW_SECONDS


def is_free_entry(meta: Meta, number_id: str, person: Recipient) -> bool:
    """Return whether a message to a customer is free because an advertisement brought the customer.

    The first answer within 24 hours makes 72 hours free.
    """
    key, now = pair_of(number_id, person), meta.clock.now()
    if not (meta.state.get("window", key) or {}).get("referral_at"):
        return False

    def answered(window: dict[str, Any]) -> dict[str, Any]:
        if window["free_until"] is None and now - window["referral_at"] < WINDOW_SECONDS:
            return {**window, "free_until": now + FREE_ENTRY_SECONDS}
        return window

    return now < (meta.state.update("window", key, answered)["free_until"] or 0)


def pair_of(number_id: str, person: Recipient) -> str:
    """Return the key of a number and a customer: the same one, whichever id of the customer is used."""
    return f"{number_id}:{person.user_id or key_of(person)}"
