"""The breaker of a queue: what it lets through after which tries."""

from datetime import timedelta

import pytest

from app.domain.breaker import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE,
    MAX_PAUSE,
    Breaker,
    after_failure,
    after_success,
)
from tests.support.store import NOON

MOST = 8
EVEN = 0.5
"""The jitter that makes a pause exactly as long as it is named."""

CLOSED = Breaker()
OPEN = Breaker(failures=5, open_until=NOON + FIRST_PAUSE, trips=1)
LATER = NOON + FIRST_PAUSE
"""When the open one lets a probe through."""


def failed(breaker: Breaker, times: int) -> Breaker:
    for _ in range(times):
        breaker = after_failure(breaker, NOON, EVEN)
    return breaker


@pytest.mark.parametrize(
    ("breaker", "slots"),
    [
        (CLOSED, MOST),
        (Breaker(failures=4), MOST),
        (Breaker(open_until=NOON + timedelta(microseconds=1)), 0),
        (Breaker(open_until=NOON), 1),
        (Breaker(open_until=NOON - timedelta(days=1)), 1),
        (Breaker(allowance=1), 1),
        (Breaker(allowance=3), 3),
        (Breaker(allowance=MOST + 5), MOST),
    ],
)
def test_it_lets_so_many_through(breaker: Breaker, slots: int) -> None:
    assert breaker.slots(NOON, MOST) == slots


@pytest.mark.parametrize(
    ("breaker", "after"),
    [
        (CLOSED, CLOSED),
        (Breaker(failures=4), CLOSED),
        (OPEN, Breaker(trips=1, allowance=2)),
        (Breaker(failures=2, trips=3, allowance=2), Breaker(trips=3, allowance=3)),
        (Breaker(trips=3, allowance=MOST - 1), Breaker(trips=3, allowance=MOST)),
        (Breaker(trips=3, allowance=MOST), CLOSED),
        (Breaker(trips=3, allowance=MOST + 1), CLOSED),
    ],
)
def test_a_success_lets_more_through(breaker: Breaker, after: Breaker) -> None:
    assert after_success(breaker, LATER, MOST) == after


@pytest.mark.parametrize(
    ("breaker", "after"),
    [
        (CLOSED, Breaker(failures=1)),
        (Breaker(failures=3), Breaker(failures=4)),
        (Breaker(failures=4), Breaker(5, LATER + FIRST_PAUSE, trips=1)),
        (OPEN, Breaker(6, LATER + FIRST_PAUSE * 2, trips=2)),
        (Breaker(9, NOON, trips=4), Breaker(10, LATER + FIRST_PAUSE * 16, trips=5)),
        (Breaker(99, NOON, trips=1000), Breaker(100, LATER + MAX_PAUSE, trips=1001)),
        (Breaker(trips=1, allowance=5), Breaker(1, trips=1, allowance=2)),
        (Breaker(trips=1, allowance=1), Breaker(1, trips=1, allowance=1)),
        (Breaker(4, trips=1, allowance=1), Breaker(5, LATER + FIRST_PAUSE * 2, trips=2)),
    ],
)
def test_a_failure_lets_less_through(breaker: Breaker, after: Breaker) -> None:
    assert after_failure(breaker, LATER, EVEN) == after


@pytest.mark.parametrize(
    ("breaker", "asked", "after"),
    [
        (CLOSED, timedelta(minutes=1), Breaker(1, NOON + timedelta(minutes=1))),
        (CLOSED, timedelta(days=1), Breaker(1, NOON + timedelta(days=1))),
        (CLOSED, timedelta(), Breaker(1, NOON + FIRST_PAUSE)),
        (CLOSED, timedelta(seconds=1), Breaker(1, NOON + FIRST_PAUSE)),
        (OPEN, timedelta(minutes=1), Breaker(6, NOON + timedelta(minutes=1), trips=1)),
        (
            Breaker(5, NOON + timedelta(hours=1), trips=1),
            timedelta(minutes=1),
            Breaker(6, NOON + timedelta(hours=1), 1),
        ),
        (Breaker(trips=2, allowance=3), timedelta(minutes=1), Breaker(1, NOON + timedelta(minutes=1), trips=2)),
    ],
)
def test_it_opens_at_once_for_as_long_as_the_other_side_asks(
    breaker: Breaker, asked: timedelta, after: Breaker
) -> None:
    assert after_failure(breaker, NOON, EVEN, asked) == after


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 4), (0.5, 5), (1.0, 6)])
def test_pauses_are_spread_by_a_fifth(jitter: float, pause: int) -> None:
    opened = after_failure(Breaker(failures=4), NOON, jitter)

    assert opened.open_until == NOON + timedelta(seconds=pause)


def test_it_opens_only_when_failures_come_in_a_row() -> None:
    breaker = failed(CLOSED, FAILURES_TO_OPEN - 1)
    breaker = after_success(breaker, NOON, MOST)
    breaker = failed(breaker, FAILURES_TO_OPEN - 1)

    assert not breaker.is_open
    assert failed(breaker, 1).is_open


def test_what_was_in_flight_when_it_opened_changes_nothing_but_the_count() -> None:
    opened = failed(CLOSED, FAILURES_TO_OPEN)

    assert failed(opened, 7) == Breaker(12, opened.open_until, trips=1)
    assert after_success(opened, NOON, MOST) == opened


def test_one_that_opens_again_while_it_drains_stays_open_for_longer() -> None:
    drained_a_little = after_success(OPEN, LATER, MOST)

    opened = failed(drained_a_little, FAILURES_TO_OPEN)

    assert opened.open_until == NOON + FIRST_PAUSE * 2


def test_one_that_has_drained_is_as_good_as_new() -> None:
    breaker = OPEN
    for _ in range(MOST):
        breaker = after_success(breaker, LATER, MOST)

    assert breaker == CLOSED


def test_a_queue_of_one_drains_too() -> None:
    probed = after_success(OPEN, LATER, 1)

    assert probed.slots(LATER, 1) == 1
    assert after_success(probed, LATER, 1) == CLOSED
