"""How a destination stands, by what is known of its lane and its deliveries."""

import pytest

from app.domain.breaker import Breaker
from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationState, lane_of_destination, standings_of, state_of
from app.domain.queue import LaneState
from tests.support.store import NOON

CLOSED = Breaker()
OPEN = Breaker(failures=5, open_until=NOON, trips=1)


def lane(name: str = "crm", *, paused: bool = False, disabled: bool = False, breaker: Breaker = CLOSED) -> LaneState:
    return LaneState(lane_of_destination(name), paused, disabled, breaker, NOON, NOON, "HTTP 500")


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (None, DestinationState.ACTIVE),
        (lane(), DestinationState.ACTIVE),
        (lane(breaker=Breaker(failures=4)), DestinationState.ACTIVE),
        (lane(breaker=OPEN), DestinationState.OPEN),
        (lane(paused=True, breaker=OPEN), DestinationState.PAUSED),
        (lane(paused=True, disabled=True, breaker=OPEN), DestinationState.DISABLED),
    ],
)
def test_the_strongest_reason_is_the_state(known: LaneState | None, state: DestinationState) -> None:
    assert state_of(known) is state


def test_each_destination_stands_by_its_own_lane_and_deliveries() -> None:
    crm, bot = standings_of(["crm", "bot"], [lane("crm", paused=True)], {"crm": DeliveryCounts(3, 2)})

    assert (crm.name, crm.state, crm.waiting, crm.dead) == ("crm", DestinationState.PAUSED, 3, 2)
    assert (crm.last_success_at, crm.last_error_at, crm.last_error) == (NOON, NOON, "HTTP 500")
    assert (bot.name, bot.state, bot.waiting, bot.dead) == ("bot", DestinationState.ACTIVE, 0, 0)
    assert (bot.last_success_at, bot.last_error_at, bot.last_error) == (None, None, None)
