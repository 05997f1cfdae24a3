"""A delivery: one event on its way to one destination."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.job_result import Attempt
from app.domain.push_response import STATUS_OF_SUCCESS

DELIVERY_ID = re.compile(r"dlv_([1-9][0-9]{0,18})", re.ASCII)
"""A delivery's public id and the number in it."""

KEPT_ATTEMPTS = 20
"""How many attempts are kept, the last ones, so that a delivery that is replayed often does not grow."""


class DeliveryState(StrEnum):
    """The state of a delivery. `skipped`: its destination had left the config when the event was pruned."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    DEAD = "dead"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to add with an event. Those with the same `order_key` go to their destination one by one."""

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
    def was_delivered(self) -> bool:
        """Whether an earlier attempt succeeded, so that the next push is a replay."""
        return any(attempt.status in STATUS_OF_SUCCESS for attempt in self.attempts)


@dataclass(frozen=True)
class DeliveryCounts:
    """How many deliveries to one destination wait, and how many are dead."""

    waiting: int
    dead: int
