"""The status of a destination, from its queue and the counts of its deliveries."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.breaker import RELAPSE, Breaker
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


SECOND = timedelta(seconds=1)
WAS_OPEN = replace(queue(), was_open_at=NOON)


@pytest.mark.parametrize(
    ("known_queue", "after", "is_troubled"),
    [
        (queue(), RELAPSE, False),
        (queue(breaker=OPEN), RELAPSE, True),
        (WAS_OPEN, RELAPSE - SECOND, True),
        (WAS_OPEN, RELAPSE, False),
        (WAS_OPEN, -RELAPSE, False),
        (replace(WAS_OPEN, breaker=Breaker(trips=1, allowance=2)), RELAPSE, False),
        (replace(WAS_OPEN, paused=True), SECOND, False),
        (replace(WAS_OPEN, disabled=True), SECOND, False),
    ],
)
def test_a_destination_is_in_trouble_until_it_has_not_failed_for_a_while(
    known_queue: QueueState, after: timedelta, is_troubled: bool
) -> None:
    [crm] = destination_statuses(["crm"], [known_queue], {})

    assert crm.is_troubled(NOON + after) is is_troubled


@pytest.mark.parametrize(
    ("known_queue", "after", "is_troubled"),
    [
        (queue(), timedelta(), False),
        (queue(breaker=OPEN), RELAPSE, True),
        (WAS_OPEN, RELAPSE - SECOND, True),
        (WAS_OPEN, RELAPSE, False),
        (WAS_OPEN, -RELAPSE, False),
    ],
)
def test_a_queue_is_in_trouble_until_its_attempts_have_not_failed_for_a_while(
    known_queue: QueueState, after: timedelta, is_troubled: bool
) -> None:
    assert known_queue.is_troubled(NOON + after) is is_troubled


def test_only_results_that_meet_or_leave_the_breaker_open_are_remembered() -> None:
    later, last = NOON + SECOND, NOON + 2 * SECOND
    opened = queue().with_breaker(OPEN, NOON)
    probed = opened.with_breaker(Breaker(trips=1, allowance=2), later)

    assert queue().with_breaker(Breaker(failures=1), NOON).was_open_at is None
    assert (opened.was_open_at, probed.was_open_at) == (NOON, later)
    assert probed.with_breaker(CLOSED, last).was_open_at == later


def test_each_destination_has_the_status_of_its_own_queue_and_deliveries() -> None:
    crm, bot = destination_statuses(["crm", "bot"], [queue("crm", paused=True)], {"crm": DeliveryCounts(3, 2)})

    assert (crm.name, crm.state, crm.waiting, crm.dead) == ("crm", DestinationState.PAUSED, 3, 2)
    assert (crm.last_success_at, crm.last_error_at, crm.last_error) == (NOON, NOON, "HTTP 500")
    assert (bot.name, bot.state, bot.waiting, bot.dead) == ("bot", DestinationState.ACTIVE, 0, 0)
    assert (bot.last_success_at, bot.last_error_at, bot.last_error) == (None, None, None)
