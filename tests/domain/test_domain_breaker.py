"""The breaker of a queue: how many jobs may be in flight after which results."""

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

MAX_IN_FLIGHT = 8
EVEN = 0.5
"""The jitter with which a pause has exactly its nominal length."""

CLOSED = Breaker()
OPEN = Breaker(failures=5, open_until=NOON + FIRST_PAUSE, trips=1)
LATER = NOON + FIRST_PAUSE
"""When `OPEN` allows a probe."""


def failed(breaker: Breaker, times: int) -> Breaker:
    for _ in range(times):
        breaker = after_failure(breaker, NOON, EVEN)
    return breaker


@pytest.mark.parametrize(
    ("breaker", "slots"),
    [
        (CLOSED, MAX_IN_FLIGHT),
        (Breaker(failures=4), MAX_IN_FLIGHT),
        (Breaker(open_until=NOON + timedelta(microseconds=1)), 0),
        (Breaker(open_until=NOON), 1),
        (Breaker(open_until=NOON - timedelta(days=1)), 1),
        (Breaker(allowance=1), 1),
        (Breaker(allowance=3), 3),
        (Breaker(allowance=MAX_IN_FLIGHT + 5), MAX_IN_FLIGHT),
    ],
)
def test_the_state_decides_how_many_jobs_may_be_in_flight(breaker: Breaker, slots: int) -> None:
    assert breaker.slots(NOON, MAX_IN_FLIGHT) == slots


@pytest.mark.parametrize(
    ("breaker", "after"),
    [
        (CLOSED, CLOSED),
        (Breaker(failures=4), CLOSED),
        (OPEN, Breaker(trips=1, allowance=2)),
        (Breaker(failures=2, trips=3, allowance=2), Breaker(trips=3, allowance=3)),
        (Breaker(trips=3, allowance=MAX_IN_FLIGHT - 1), Breaker(trips=3, allowance=MAX_IN_FLIGHT)),
        (Breaker(trips=3, allowance=MAX_IN_FLIGHT), CLOSED),
        (Breaker(trips=3, allowance=MAX_IN_FLIGHT + 1), CLOSED),
    ],
)
def test_a_success_allows_more_jobs(breaker: Breaker, after: Breaker) -> None:
    assert after_success(breaker, LATER, MAX_IN_FLIGHT) == after


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
def test_a_failure_allows_fewer_jobs(breaker: Breaker, after: Breaker) -> None:
    assert after_failure(breaker, LATER, EVEN) == after


@pytest.mark.parametrize(
    ("breaker", "retry_after", "after"),
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
def test_a_retry_after_opens_it_at_once_for_that_long(
    breaker: Breaker, retry_after: timedelta, after: Breaker
) -> None:
    assert after_failure(breaker, NOON, EVEN, retry_after) == after


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 4), (0.5, 5), (1.0, 6)])
def test_pauses_vary_by_a_fifth(jitter: float, pause: int) -> None:
    opened = after_failure(Breaker(failures=4), NOON, jitter)

    assert opened.open_until == NOON + timedelta(seconds=pause)


def test_only_failures_in_a_row_open_it() -> None:
    breaker = failed(CLOSED, FAILURES_TO_OPEN - 1)
    breaker = after_success(breaker, NOON, MAX_IN_FLIGHT)
    breaker = failed(breaker, FAILURES_TO_OPEN - 1)

    assert not breaker.is_open
    assert failed(breaker, 1).is_open


def test_results_that_come_while_it_pauses_change_only_the_count() -> None:
    opened = failed(CLOSED, FAILURES_TO_OPEN)

    assert failed(opened, 7) == Breaker(12, opened.open_until, trips=1)
    assert after_success(opened, NOON, MAX_IN_FLIGHT) == opened


def test_a_breaker_that_opens_again_before_it_is_closed_for_good_pauses_longer() -> None:
    probed = after_success(OPEN, LATER, MAX_IN_FLIGHT)

    opened = failed(probed, FAILURES_TO_OPEN)

    assert opened.open_until == NOON + FIRST_PAUSE * 2


def test_enough_successes_close_it_for_good() -> None:
    breaker = OPEN
    for _ in range(MAX_IN_FLIGHT):
        breaker = after_success(breaker, LATER, MAX_IN_FLIGHT)

    assert breaker == CLOSED


def test_a_queue_with_one_job_in_flight_closes_it_too() -> None:
    probed = after_success(OPEN, LATER, 1)

    assert probed.slots(LATER, 1) == 1
    assert after_success(probed, LATER, 1) == CLOSED
