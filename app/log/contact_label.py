"""Replaces a customer's phone number or user id in log lines with a label."""

import hashlib
from typing import Literal

ContactPolicy = Literal["hashed", "plain", "none"]

LABEL_BYTES = 8
_PURPOSE = b"wats: contacts in the log\0"


class ContactLabel:
    """Returns the label of a contact's name: a hash of it, unless the setting asks for the name itself, or for none.

    The hash is keyed: there are so few phone numbers that a reader of the log could otherwise try all of them. The
    same name has the same hash in every process, as long as `secret` stays.
    """

    def __init__(self, policy: ContactPolicy, secret: str) -> None:
        self._policy = policy
        self._key = hashlib.sha256(_PURPOSE + secret.encode()).digest()

    def __call__(self, name: str | None) -> str | None:
        """Return the label; `name` is a phone number with or without a plus sign, a user id or a group id."""
        if name is None or self._policy == "none":
            return None
        name = name.removeprefix("+")
        if self._policy == "plain":
            return name
        return hashlib.blake2b(name.encode(), key=self._key, digest_size=LABEL_BYTES).hexdigest()
