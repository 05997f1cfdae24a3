"""The customer service window: 24 hours from the customer's last message or call, by Meta's clock.

Outside of it Meta takes templates only, and direct sends of some categories. Source: Meta, "Send messages: customer
service windows".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

WINDOW = timedelta(hours=24)

WindowPolicy = Literal["off", "warn", "enforce"]

WINDOW_CLOSED = {
    "code": "window_closed",
    "message": "the customer service window closed before the message could be sent",
    "class": "content",
    "hint": "send a template",
}
"""The error of a message whose window closed while it waited."""


@dataclass(frozen=True)
class Window:
    """The window of one customer and one number. `last_inbound_at`: None for a customer without a known message."""

    last_inbound_at: datetime | None

    @property
    def expires_at(self) -> datetime | None:
        """The time at which it closes or has closed; None if it was never seen open."""
        return None if self.last_inbound_at is None else self.last_inbound_at + WINDOW

    def is_open(self, now: datetime) -> bool:
        """Return whether messages other than templates may be sent."""
        return self.expires_at is not None and now < self.expires_at

    def remaining(self, now: datetime) -> timedelta:
        """Return how long it stays open; zero if it is closed."""
        return max(timedelta(), self.expires_at - now) if self.expires_at is not None else timedelta()

    def forbids(self, policy: WindowPolicy, now: datetime, *, is_exempt: bool) -> bool:
        """Return whether the policy keeps a message from being sent now.

        A customer without a known message may have opened the window before the gateway was installed.
        """
        is_known = self.last_inbound_at is not None
        return policy == "enforce" and not is_exempt and is_known and not self.is_open(now)
