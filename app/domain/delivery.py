"""A delivery: one event on its way to one destination."""

import re
from dataclasses import dataclass
from datetime import datetime

from app.domain.job_result import Attempt
from app.domain.push_response import SUCCESS_STATUSES
from app.domain.stored_word import StoredWord

DELIVERY_ID = re.compile(r"dlv_([1-9][0-9]{0,18})", re.ASCII)
"""Matches a delivery's public id; group 1 is its row id."""

KEPT_ATTEMPTS = 20
"""How many of the last attempts are kept: a delivery that is replayed often must not grow."""


class DeliveryState(StoredWord):
    """The state of a delivery.

    `waiting` and `in_flight` are derived from the job: the table stores `open` for both. `skipped`: pruning gave it
    up because its destination is no longer in the config; the event was kept for another destination. `discarded`: an
    operator has dismissed a dead one.
    """

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    DEAD = "dead"
    SKIPPED = "skipped"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to add with an event. Those with the same `order_key` are sent in order, one at a time."""

    destination: str
    order_key: int | None = None


@dataclass(frozen=True)
class Delivery:
    """A stored delivery."""

    id: str
    event_id: str
    destination: str
    state: DeliveryState
    attempts: tuple[Attempt, ...]
    next_attempt_at: datetime | None

    @property
    def has_succeeded(self) -> bool:
        """Whether one of the kept attempts succeeded."""
        return any(attempt.status in SUCCESS_STATUSES for attempt in self.attempts)


@dataclass(frozen=True)
class DeliveryCounts:
    """How many deliveries to one destination wait, and how many are dead.

    `oldest_at`: when the oldest event was received that waits or is in flight.
    """

    waiting: int
    dead: int
    oldest_at: datetime | None = None
