"""The status of a destination, from its queue and the counts of its deliveries."""

import pytest

from app.domain.breaker import Breaker
from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationState, destination_statuses, queue_of_destination, state_of
from app.domain.queue import QueueState
from tests.support.store import NOON

CLOSED = Breaker()
OPEN = Breaker(failures=5, open_until=NOON, trips=1)


def queue(
    name: str = "crm", *, paused: bool = False, disabled: bool = False, breaker: Breaker = CLOSED
) -> QueueState:
    return QueueState(queue_of_destination(name), paused, disabled, breaker, NOON, NOON, "HTTP 500")


@pytest.mark.parametrize(
    ("known_queue", "state"),
    [
        (None, DestinationState.ACTIVE),
        (queue(), DestinationState.ACTIVE),
        (queue(breaker=Breaker(failures=4)), DestinationState.ACTIVE),
        (queue(breaker=OPEN), DestinationState.FAILING),
        (queue(paused=True, breaker=OPEN), DestinationState.PAUSED),
        (queue(paused=True, disabled=True, breaker=OPEN), DestinationState.DISABLED),
    ],
)
def test_the_strongest_reason_is_the_state(known_queue: QueueState | None, state: DestinationState) -> None:
    assert state_of(known_queue) is state


def test_each_destination_has_the_status_of_its_own_queue_and_deliveries() -> None:
    crm, bot = destination_statuses(["crm", "bot"], [queue("crm", paused=True)], {"crm": DeliveryCounts(3, 2)})

    assert (crm.name, crm.state, crm.waiting, crm.dead) == ("crm", DestinationState.PAUSED, 3, 2)
    assert (crm.last_success_at, crm.last_error_at, crm.last_error) == (NOON, NOON, "HTTP 500")
    assert (bot.name, bot.state, bot.waiting, bot.dead) == ("bot", DestinationState.ACTIVE, 0, 0)
    assert (bot.last_success_at, bot.last_error_at, bot.last_error) == (None, None, None)
