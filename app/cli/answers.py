"""Reads the messages that a running service has sent to a customer, as the customer's phone sees them arrive."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from app.cli import CommandFailed
from app.cli.client import Client
from app.graph.fake.wire import CUSTOMER_ACTED, LAST_QUESTION

LOOKED_AT = 20
KNOWN_TO_META = ("type", "from", "user_id", "number", "referral")
POLL_SECONDS = 0.3
ANY_VERSION = "v25.0"
"""The fake Meta answers every version alike."""

Message = dict[str, Any]


class Answers:
    """Remembers which messages each customer has got, to wait for the next one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: dict[str, set[str]] = {}

    def last_wamid(self, contact: str) -> str | None:
        """Return Meta's id of the last message to a customer; None if there is none."""
        return next((message["wamid"] for message in self._arrived(contact)), None)

    def choices(self, number_id: str, contact: str) -> dict[str, dict[str, str]]:
        """Return what the last message from a number to a customer offers, by title, as Meta knows it."""
        question = self._client.get(f"/graph/{ANY_VERSION}/{number_id}/{LAST_QUESTION}", customer=contact)
        return dict(question["choices"])

    def tell_meta(self, number_id: str, action: Mapping[str, Any]) -> None:
        """Let the fake Meta know what a customer does: it opens a window, and a number has a limit.

        A token that may not call Graph is no reason to refuse the webhook.
        """
        known = {name: action[name] for name in KNOWN_TO_META if action.get(name) is not None}
        with suppress(CommandFailed):
            self._client.post(f"/graph/{ANY_VERSION}/{number_id}/{CUSTOMER_ACTED}", known)

    def watch(self, contact: str) -> None:
        """Take what has arrived until now as seen."""
        self._seen.setdefault(contact, set()).update(message["id"] for message in self._arrived(contact))

    def next(self, contact: str, seconds: float) -> Message:
        """Return the next message to a customer. Raise `CommandFailed` if none comes in time."""
        ends_at = time.monotonic() + seconds
        seen = self._seen.setdefault(contact, set())
        while True:
            unseen = [message for message in self._arrived(contact) if message["id"] not in seen]
            if unseen:
                seen.add(unseen[-1]["id"])
                return unseen[-1]
            if time.monotonic() >= ends_at:
                raise CommandFailed(f"no message to {contact} has come within {seconds:g} seconds")
            time.sleep(POLL_SECONDS)

    def _arrived(self, contact: str) -> list[Message]:
        """Return the messages to a customer that Meta has accepted, the newest first."""
        sent = self._client.page("/messages", direction="outbound", contact=contact, limit=LOOKED_AT)["items"]
        return [message for message in sent if message["wamid"]]
