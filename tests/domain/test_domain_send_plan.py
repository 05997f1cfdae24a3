"""Which claimed messages are sent now: by pace, by customer, by age. The clock is moved, and no time passes."""

import random
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.pacing import NumberPace, Pace, PairPace
from app.domain.send_limits import MAX_SLOTS, SendLimits
from app.domain.send_plan import Candidate, ScopeGate, SendPlan, plan_sends
from app.graph.fake.buckets import of_number

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
A_DAY = timedelta(days=1)
LIMITS = SendLimits(80, Pace(timedelta(seconds=6), 45), "warn", None)


def candidates(count: int, *, minutes: int = 0) -> list[Candidate]:
    at = NOON - timedelta(minutes=minutes)
    return [Candidate(number + 1, number, at, at + A_DAY) for number in range(count)]


def plan(
    claimed: list[Candidate],
    now: datetime = NOON,
    *,
    limits: SendLimits = LIMITS,
    number: NumberPace = NumberPace(),  # noqa: B008 - frozen
    pairs: dict[int, PairPace] | None = None,
    gate: ScopeGate = ScopeGate(),  # noqa: B008 - frozen
) -> SendPlan:
    known = {one.contact: PairPace() for one in claimed} | (pairs or {})
    return plan_sends(claimed, now, limits=limits, number=number, pairs=known, gate=gate)


def test_what_is_within_the_pace_is_sent_at_once() -> None:
    planned = plan(candidates(3))

    assert (planned.granted, planned.back, planned.rest_until) == ([1, 2, 3], {}, None)
    assert planned.number.full_at == NOON + 3 * timedelta(milliseconds=12.5)
    assert planned.pairs.keys() == {0, 1, 2}


def test_messages_of_one_customer_count_together() -> None:
    two = [Candidate(job_id, 1, NOON, NOON + A_DAY) for job_id in (1, 2)]

    planned = plan(two, limits=SendLimits(80, Pace(timedelta(seconds=6), 1), "warn", None))

    assert (planned.granted, planned.back) == ([1], {2: NOON + timedelta(seconds=6)})


def test_what_is_too_fast_keeps_its_place_and_the_queue_rests_until_a_batch_may_leave() -> None:
    claimed = candidates(50, minutes=3)

    planned = plan(claimed)

    assert planned.granted == list(range(1, 42))
    assert planned.back == {one.job_id: one.created_at for one in claimed[41:]}
    assert planned.rest_until == NOON + LIMITS.batch * timedelta(milliseconds=12.5)


def test_the_oldest_messages_are_sent_first() -> None:
    young, old = Candidate(1, 1, NOON, NOON + A_DAY), Candidate(2, 2, NOON - A_DAY, NOON + A_DAY)

    planned = plan([young, old], gate=ScopeGate(1))

    assert planned.granted == [2]


def test_a_message_that_paused_a_scope_is_the_probe_only_if_there_is_no_other() -> None:
    suspect = Candidate(1, 1, NOON - A_DAY, NOON + A_DAY, is_suspect=True)
    other = Candidate(2, 2, NOON, NOON + A_DAY)

    probe, only, free = plan([suspect, other], gate=ScopeGate(1)), plan([suspect], gate=ScopeGate(1)), plan([suspect])

    assert (probe.granted, probe.back) == ([2], {1: NOON})
    assert (only.granted, free.granted) == ([1], [1])


def test_a_customer_who_is_written_to_later_holds_up_nobody_else() -> None:
    pausing = PairPace(paused_until=NOON + timedelta(seconds=16), refusals=2)

    planned = plan(candidates(3), pairs={1: pausing})

    assert planned.granted == [1, 3]
    assert planned.back == {2: NOON + timedelta(seconds=16)}
    assert planned.rest_until is None


def test_a_message_whose_customer_waits_is_looked_at_again_when_it_expires_and_each_minute() -> None:
    pausing = PairPace(refusals=6, paused_until=NOON + timedelta(hours=1))
    expires = [NOON + timedelta(seconds=seconds) for seconds in (50, 7200)]

    planned = [plan([Candidate(1, 0, NOON, end)], pairs={0: pausing}).back for end in expires]

    assert planned == [{1: NOON + timedelta(seconds=50)}, {1: NOON + timedelta(minutes=1)}]


def test_a_scope_that_is_paused_lets_nothing_or_one_message_through() -> None:
    until = NOON + timedelta(seconds=7)

    none, one = plan(candidates(3), gate=ScopeGate(0, rest_until=until)), plan(candidates(3), gate=ScopeGate(1))

    assert (none.granted, len(none.back), none.rest_until, none.number) == ([], 3, until, NumberPace())
    assert (one.granted, len(one.back)) == ([1], 2)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("per_second", [1, 5, 10, 20, 80, 250])
def test_a_number_is_never_too_fast_for_meta_and_less_than_2_percent_too_slow(per_second: int, workers: int) -> None:
    """Workers claim from a long backlog for a minute, each up to 0.4 s after the queue's rest has ended."""
    limits = SendLimits(per_second, LIMITS.pair, "off", None)
    delays, backlog = random.Random(7), deque(candidates(per_second * 60 + 1000))
    number, rest_until, full_at, sent, refused = NumberPace(), NOON, None, 0, 0
    meta = of_number(per_second, burst=max(2, per_second))
    wakes = [NOON + timedelta(seconds=delays.random() * 0.4) for _ in range(workers)]
    while (now := min(wakes)) < NOON + timedelta(seconds=60):
        claimed = [backlog.popleft() for _ in range(limits.batch)] if now >= rest_until else []
        planned = plan(claimed, now, limits=limits, number=number)
        number, rest_until = planned.number, max(planned.rest_until or now, rest_until)
        for _ in planned.granted:
            full_at, is_taken = meta.take(full_at, now.timestamp())
            sent, refused = sent + is_taken, refused + (not is_taken)
        backlog.extendleft(reversed([one for one in claimed if one.job_id in planned.back]))
        late = timedelta(seconds=delays.random() * (0.4 if rest_until > now else 0.004))
        wakes[wakes.index(now)] = max(rest_until, now) + late

    assert refused == 0
    assert sent >= per_second * 59.6 * 0.98 - 1


def test_the_limits_of_a_number_follow_its_rate() -> None:
    rates = [1, 80, 1000]

    assert [SendLimits(rate, LIMITS.pair, "off", None).batch for rate in rates] == [1, 4, 50]
    assert [SendLimits(rate, LIMITS.pair, "off", None).slots for rate in rates] == [8, 80, MAX_SLOTS]


def test_a_claim_that_comes_late_takes_the_messages_of_the_whole_time_up_to_the_burst() -> None:
    assert [LIMITS.batch_after(seconds) for seconds in (0.01, 0.05, 0.2, 10)] == [4, 4, 16, 40]
