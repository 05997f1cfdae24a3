"""The status of a destination: whether it is pushed to, how many deliveries wait, and how many are dead."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.breaker import was_open_lately
from app.domain.delivery import DeliveryCounts
from app.domain.job import DELIVER_QUEUE
from app.domain.queue import QueueState
from app.domain.refusing import is_refusing

REFUSAL = re.compile(r"HTTP (4\d\d)")
"""The form of a queue's last error after a 4xx."""


class DestinationState(StrEnum):
    """`paused` by a human; `failing`: its breaker is open after failures in a row; `disabled`: it answered 410."""

    ACTIVE = "active"
    PAUSED = "paused"
    FAILING = "failing"
    DISABLED = "disabled"


@dataclass(frozen=True)
class DestinationStatus:
    """The status of a destination. `last_error` stays after a success; the two times show which came later.

    `oldest_undelivered_at`: when the oldest event was received that it has not accepted yet. `refusals`: how many
    different events in a row it has refused. `was_open_at`: when its breaker was open last.
    """

    name: str
    state: DestinationState
    waiting: int
    dead: int
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    oldest_undelivered_at: datetime | None = None
    refusals: int = 0
    paused_at: datetime | None = None
    was_open_at: datetime | None = None

    @property
    def is_refusing(self) -> bool:
        """Whether its last answer was a refusal, of as many different events as open its breaker."""
        status = REFUSAL.fullmatch(self.last_error or "")
        return status is not None and is_refusing(self.refusals, int(status[1]))

    def is_troubled(self, now: datetime) -> bool:
        """Return whether it fails, or has failed so lately that it may do so again."""
        if self.state is not DestinationState.ACTIVE:
            return self.state is DestinationState.FAILING
        return was_open_lately(self.was_open_at, now)

    def holds_up(self, before: datetime) -> bool:
        """Return whether it has been paused since before then, and an event has waited since before then."""
        times = (self.paused_at or before, self.oldest_undelivered_at)
        return all(time is not None and time <= before for time in times)


def queue_of_destination(name: str) -> str:
    """Return the name of the queue in which a destination's deliveries wait."""
    return DELIVER_QUEUE + name


def destination_statuses(
    names: Iterable[str], queues: Iterable[QueueState], counts: Mapping[str, DeliveryCounts]
) -> list[DestinationStatus]:
    """Return the status of each of these destinations, from the states of queues and the counts of deliveries."""
    by_name = {queue.name: queue for queue in queues}
    return [_status_of(name, by_name.get(queue_of_destination(name)), counts.get(name)) for name in names]


def state_of(queue: QueueState | None) -> DestinationState:
    """Return the state of a destination: the strongest reason why it is stopped. Without a queue it is active."""
    if queue is None:
        return DestinationState.ACTIVE
    if queue.disabled:
        return DestinationState.DISABLED
    if queue.paused:
        return DestinationState.PAUSED
    return DestinationState.FAILING if queue.breaker.is_open else DestinationState.ACTIVE


def _status_of(name: str, queue: QueueState | None, counts: DeliveryCounts | None) -> DestinationStatus:
    return DestinationStatus(
        name=name,
        state=state_of(queue),
        waiting=counts.waiting if counts else 0,
        dead=counts.dead if counts else 0,
        last_success_at=queue.last_success_at if queue else None,
        last_error_at=queue.last_error_at if queue else None,
        last_error=queue.last_error if queue else None,
        oldest_undelivered_at=counts.oldest_at if counts else None,
        refusals=queue.refusals if queue else 0,
        paused_at=queue.paused_at if queue else None,
        was_open_at=queue.was_open_at if queue else None,
    )
