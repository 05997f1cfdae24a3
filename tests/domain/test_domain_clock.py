"""Which stored times lie further ahead than they can, because the clock was ahead when they were stored."""

from datetime import timedelta

import pytest

from app.domain.breaker import Breaker
from app.domain.clock import CLOCK_TOLERANCE, ClockJump, DueLimits, max_delay
from app.domain.heartbeat import FRESH_FOR, Heartbeat
from app.domain.job import PRUNE_EVERY, PRUNE_QUEUE, SPLIT_QUEUE
from app.domain.media_file import MEDIA_QUEUE, NO_ROOM
from app.domain.queue import QueueState
from app.domain.retry import MAX_WAIT, PAUSES, pause_after
from tests.support.store import NOON

CRM, LEASE = "deliver:crm", timedelta(seconds=30)
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
LIMITS = DueLimits(NOON, LEASE)


@pytest.mark.parametrize(
    ("queue", "attempts", "is_claimed", "limit"),
    [
        (SPLIT_QUEUE, 0, False, timedelta()),
        (SPLIT_QUEUE, 0, True, LEASE),
        (PRUNE_QUEUE, 0, False, PRUNE_EVERY),
        (PRUNE_QUEUE, 0, True, LEASE),
        (CRM, 0, False, timedelta()),
        (CRM, 1, False, timedelta(seconds=6)),
        (CRM, len(PAUSES), False, timedelta(hours=14.4)),
        (CRM, 99, False, timedelta(hours=14.4)),
        (CRM, 5, True, LEASE),
        (MEDIA_QUEUE, 0, False, timedelta()),
        (MEDIA_QUEUE, 1, False, NO_ROOM),
        (MEDIA_QUEUE, 9, False, timedelta(hours=9.6)),
        ("send:1", 0, False, timedelta(minutes=1)),
        ("send:1", 1, False, DAY),
        ("send:1", 0, True, LEASE),
    ],
)
def test_each_due_time_has_its_limit(queue: str, attempts: int, is_claimed: bool, limit: timedelta) -> None:
    def excess(due_in: timedelta) -> timedelta:
        return LIMITS.excess(queue, attempts=attempts, is_claimed=is_claimed, due_at=NOON + due_in)

    assert excess(limit + CLOCK_TOLERANCE) == timedelta()
    assert excess(limit + CLOCK_TOLERANCE + MOMENT) == CLOCK_TOLERANCE + MOMENT
    assert excess(limit + DAY) == DAY


def test_a_job_may_wait_for_the_pause_that_its_destination_asked_for() -> None:
    limits = DueLimits(NOON, LEASE, asked_until=NOON + MAX_WAIT)

    within = limits.excess(CRM, attempts=1, is_claimed=False, due_at=NOON + MAX_WAIT)
    beyond = limits.excess(CRM, attempts=1, is_claimed=False, due_at=NOON + MAX_WAIT + HOUR)

    assert (within, beyond) == (timedelta(), HOUR)


@pytest.mark.parametrize("attempts", range(len(PAUSES)))
def test_no_pause_of_the_schedule_is_longer_than_its_limit(attempts: int) -> None:
    assert pause_after(attempts, jitter=1) == max_delay(CRM, attempts + 1)


def queue(*, open_for: timedelta | None, failed: timedelta = timedelta()) -> QueueState:
    """Return the state of a queue whose breaker is open for this long, because of a failure this far ahead."""
    until = None if open_for is None else NOON + open_for
    return QueueState(CRM, False, False, Breaker(5, until, 1), None, NOON + failed, "HTTP 503")


@pytest.mark.parametrize(
    "state",
    [
        queue(open_for=None, failed=DAY),
        queue(open_for=-HOUR),
        queue(open_for=timedelta(minutes=5)),
        queue(open_for=MAX_WAIT),
        queue(open_for=HOUR, failed=CLOCK_TOLERANCE),
    ],
)
def test_a_pause_of_the_breaker_that_may_be_is_left(state: QueueState) -> None:
    assert state.as_of(NOON) == state


@pytest.mark.parametrize("state", [queue(open_for=HOUR, failed=HOUR), queue(open_for=DAY + HOUR)])
def test_a_pause_of_the_breaker_from_the_future_is_over(state: QueueState) -> None:
    assert state.as_of(NOON).breaker == Breaker(5, NOON, 1)


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(), True),
        (FRESH_FOR - MOMENT, True),
        (FRESH_FOR, False),
        (-FRESH_FOR + MOMENT, True),
        (-FRESH_FOR, False),
        (-HOUR, False),
    ],
)
def test_a_heartbeat_from_the_future_is_not_fresh(age: timedelta, fresh: bool) -> None:
    beat = Heartbeat("host:1", "worker", "1", NOON, NOON - age)

    assert beat.is_fresh(NOON) is fresh


@pytest.mark.parametrize(("ago", "recent"), [(HOUR, True), (DAY, False), (-HOUR, True), (-DAY, False)])
def test_a_jump_is_listed_for_a_day(ago: timedelta, recent: bool) -> None:
    assert ClockJump(NOON - ago, -3600).is_recent(NOON) is recent
