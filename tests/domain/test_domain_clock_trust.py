"""Whether a clock is trusted: what workers saw of it, and for how long it is doubted."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.clock_trust import DOUBT_AFTER_GAP, DOUBT_AFTER_JUMP, NO_DOUBT, SEEN_FOR, ClockTrust

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_a_clock_that_no_worker_has_looked_at_is_trusted() -> None:
    assert ClockTrust().holds(NOON)
    assert ClockTrust().seen(NOON, None) == ClockTrust(NOON)


def test_a_clock_is_trusted_while_it_is_watched() -> None:
    watched = ClockTrust(NOON)

    assert [watched.holds(NOON + after) for after in (-DAY, SEEN_FOR, SEEN_FOR + SECOND)] == [True, True, False]


def test_a_jump_is_doubted_for_an_hour() -> None:
    doubted = ClockTrust(NOON).seen(NOON + DAY, DOUBT_AFTER_JUMP)
    later = NOON + DAY + DOUBT_AFTER_JUMP

    assert doubted == ClockTrust(NOON + DAY, later)
    assert not doubted.holds(NOON + DAY)
    assert not doubted.seen(later - SECOND, NO_DOUBT).holds(later - SECOND)
    assert doubted.seen(later, NO_DOUBT) == ClockTrust(later)


@pytest.mark.parametrize("passed", [DAY, -DAY])
def test_a_worker_that_starts_after_a_gap_doubts_the_clock(passed: timedelta) -> None:
    now = NOON + passed

    assert ClockTrust(NOON).seen(now, None).doubted_until == now + DOUBT_AFTER_GAP
    assert ClockTrust(NOON).seen(NOON + SEEN_FOR, None).doubted_until is None


def test_a_longer_doubt_stays_and_one_that_a_wrong_clock_has_stored_does_not() -> None:
    in_doubt = ClockTrust(NOON, NOON + DOUBT_AFTER_JUMP)

    assert in_doubt.seen(NOON, None) == in_doubt
    assert in_doubt.seen(NOON - DAY, None).doubted_until == NOON - DAY + DOUBT_AFTER_GAP
    assert ClockTrust(NOON - SECOND, NOON + DAY).seen(NOON, NO_DOUBT).doubted_until is None
