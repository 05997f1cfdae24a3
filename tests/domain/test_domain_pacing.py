"""The pace of a number and of a customer, with a clock that the test moves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.pacing import LOWEST_SHARE, MAX_PAIR_PAUSE, NumberPace, Pace, PairPace, pace_of_rate

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
PAIR = Pace(timedelta(seconds=6), 45)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sent_within(pace: Pace, seconds: float, steps: list[float]) -> int:
    """How many messages leave if as many as are allowed are sent after each of these steps, over and over."""
    now, full_at, count, turn = NOON, None, 0, 0
    while now < after(seconds):
        allowed = pace.allowed(full_at, now)
        full_at, count = pace.after(full_at, now, allowed) if allowed else full_at, count + allowed
        now, turn = now + timedelta(seconds=steps[turn % len(steps)]), turn + 1
    return count


@given(st.integers(1, 1000), st.lists(st.floats(0.001, 0.4), min_size=1, max_size=20))
@example(5, [0.375])
@example(3, [0.4])
def test_a_number_keeps_its_pace_however_its_workers_come(per_second: int, steps: list[float]) -> None:
    pace = pace_of_rate(per_second)

    count = sent_within(pace, 60, steps)

    assert per_second * 60 * 0.98 - 1 <= count <= per_second * 60 * 1.002 + pace.burst


@given(st.integers(1, 1000), st.integers(0, 5000), st.floats(0, 100))
def test_what_may_leave_now_may_leave_and_the_next_one_waits(per_second: int, earlier: int, seconds: float) -> None:
    pace, now = pace_of_rate(per_second), after(seconds)
    full_at = pace.after(None, NOON, earlier) if earlier else None

    allowed = pace.allowed(full_at, now)

    assert 0 <= allowed <= pace.burst
    next_at = pace.free_at(pace.after(full_at, now, allowed))
    assert next_at is not None
    assert next_at > now
    assert pace.allowed(pace.after(full_at, now, allowed), next_at) == 1


def test_a_number_that_has_sent_nothing_may_send_its_burst() -> None:
    pace = pace_of_rate(80)

    assert (pace.interval, pace.burst) == (timedelta(milliseconds=12.5), 41)
    assert pace.allowed(None, NOON) == 41
    assert pace.free_at(None) is None
    assert pace_of_rate(1).burst == 2


def test_a_refused_number_goes_at_half_its_rate_and_recovers_a_tenth_a_second() -> None:
    slowed = NumberPace().slowed(NOON)

    shares = [slowed.share_at(after(seconds)) for seconds in (0, 1, 4, 5, 60)]

    assert shares == pytest.approx([0.5, 0.6, 0.9, 1.0, 1.0])
    assert slowed.pace(80, NOON).interval == timedelta(milliseconds=25)
    assert NumberPace().share_at(NOON) == 1.0


def test_refusals_that_come_together_halve_the_pace_once() -> None:
    slowed = NumberPace().slowed(NOON).slowed(after(0.5))

    assert slowed.share == 0.5
    assert slowed.slowed(after(1)).share == pytest.approx(0.3)


def test_a_pace_is_never_halved_to_nothing() -> None:
    pace = NumberPace()
    for second in range(100):
        pace = pace.slowed(after(second))

    assert pace.share >= LOWEST_SHARE
    assert pace.pace(1, after(99)).interval <= timedelta(seconds=64)


def test_a_clock_that_is_set_back_makes_a_pace_no_slower() -> None:
    assert NumberPace().slowed(NOON).share_at(after(-3600)) == 0.5


def test_what_a_clock_has_stored_that_was_ahead_stops_no_number() -> None:
    at_full_speed, slowed = NumberPace(full_at=after(3600)), NumberPace(after(3600), 0.25, after(3600))
    slowest = NumberPace(full_at=after(1.6))

    assert at_full_speed.as_of(80, NOON) == NumberPace()
    assert slowed.as_of(80, NOON) == NumberPace(None, 0.25, NOON)
    assert slowest.as_of(80, NOON) == slowest
    assert NumberPace(NOON, 0.5, NOON).as_of(80, after(1)) == NumberPace(NOON, 0.5, NOON)


def test_what_a_clock_has_stored_that_was_ahead_stops_no_customer() -> None:
    burst = PairPace(full_at=after(45 * 6), refusals=1, paused_until=after(4))

    assert burst.as_of(PAIR, NOON) == burst
    assert burst.as_of(PAIR, after(-3600)) == PairPace(refusals=1)
    assert PairPace(refusals=9, paused_until=after(3600)).as_of(PAIR, NOON).paused_until == after(3600)


def test_a_customer_gets_45_messages_at_once_and_then_one_in_6_seconds() -> None:
    pair, leaving, now = PairPace(), [], NOON
    for _ in range(48):
        now = pair.free_at(PAIR, now)
        leaving.append((now - NOON).total_seconds())
        pair = pair.sent(PAIR, now)

    assert leaving == [0] * 45 + [6, 12, 18]


def test_a_customer_who_rested_gets_a_burst_again() -> None:
    pair = PairPace()
    for _ in range(45):
        pair = pair.sent(PAIR, NOON)

    assert pair.free_at(PAIR, after(60)) == after(60)
    assert PAIR.allowed(pair.full_at, after(60)) == 10


def test_each_refusal_in_a_row_pauses_a_customer_four_times_as_long() -> None:
    pair, pauses = PairPace(), []
    for _ in range(7):
        pair = pair.refused(NOON)
        pauses.append((pair.free_at(PAIR, NOON) - NOON).total_seconds())

    assert pauses == [4, 16, 64, 256, 1024, 3600, 3600]
    assert timedelta(seconds=pauses[-1]) == MAX_PAIR_PAUSE


def test_a_success_ends_the_row_of_refusals() -> None:
    pair = PairPace().refused(NOON).refused(NOON).accepted()

    assert pair == PairPace().accepted()
    assert pair.refused(NOON).paused_until == after(4)


def test_the_pace_of_a_customer_counts_what_was_sent_to_another_name() -> None:
    sent_to_phone, sent_to_user = PairPace(after(60)), PairPace(after(30), refusals=1, paused_until=after(4))

    joined = sent_to_user.joined(sent_to_phone)

    assert joined == PairPace(after(60), refusals=1, paused_until=after(4))
    assert joined.joined(PairPace()) == joined
    assert PairPace().joined(PairPace()) == PairPace()


def test_a_customer_who_rests_under_another_name_rests() -> None:
    once, twice = PairPace().refused(NOON), PairPace(after(60)).refused(NOON).refused(NOON)

    assert PairPace().joined(once) == once
    assert once.joined(twice) == twice.joined(once) == PairPace(after(60), refusals=2, paused_until=after(16))
