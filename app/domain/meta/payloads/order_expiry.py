"""When an order expires that a customer pays in the chat. Source: Meta, "Orders": at least 300 seconds ahead.

The tables of a message know no clock. Whether the time is far enough ahead is looked at when a message is accepted:
a repeat with the key of an earlier one gets that message, also after the order has expired. Before the message is
sent only an order that has expired is refused; how far ahead it must be then, Meta decides.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings, Path
from app.domain.meta.payloads.structure import members
from app.domain.meta.payloads.values import Integer, integer_of

MIN_SECONDS_AHEAD = 300
HINT = f"seconds since 1970, at least {MIN_SECONDS_AHEAD} ahead"
_TIMESTAMP = ("order", "expiration", "timestamp")
_PLACES = (
    ("interactive", "action", "parameters", *_TIMESTAMP),
    ("template", "components", "*", "parameters", "*", "action", "order_details", *_TIMESTAMP),
)

KINDS_WITH_ORDERS = frozenset(place[0] for place in _PLACES)

ORDER_EXPIRED = {
    "code": "order_expired",
    "message": "the order expired before the message could be sent",
    "class": "content",
    "hint": "send the order again with a later expiration",
}
"""The error of a message whose order expired while it waited."""


@dataclass(frozen=True)
class ExpiryTime:
    """The time at which an order expires."""

    def check(self, value: object) -> Findings:
        """Yield what is wrong with the number, whatever the time is now."""
        yield from Integer(1, hint=HINT).check(value)

    def describe(self) -> str:
        """Return the limit."""
        return f"an integer: {HINT}"


def late_orders(body: dict[str, Any], now: datetime) -> Findings:
    """Yield a finding for each order in a checked message that expires too soon, or has expired."""
    earliest = int(now.timestamp()) + MIN_SECONDS_AHEAD
    for path, expires_at in _expiries(body):
        if expires_at < earliest:
            ahead = expires_at - earliest + MIN_SECONDS_AHEAD
            when = f"it is {-ahead} seconds ago" if ahead < 0 else f"it is {ahead} ahead"
            yield Finding(f"must be at least {MIN_SECONDS_AHEAD} seconds ahead; {when}", HINT, path=path)


def has_expired_order(body: bytes, now: datetime) -> bool:
    """Return whether the JSON of a message has an order that has expired."""
    if b'"expiration"' not in body:
        return False
    return any(expires_at <= now.timestamp() for _, expires_at in _expiries(json.loads(body)))


def _expiries(body: dict[str, Any]) -> Iterator[tuple[Path, int]]:
    """Yield when each order in a message expires, with the place of that time."""
    for place in _PLACES:
        for path, value in members(body, *place):
            expires_at = integer_of(value)
            if expires_at is not None:
                yield path, expires_at
