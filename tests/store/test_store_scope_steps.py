"""A scope whose failures Meta tells by statuses goes on step by step: a few messages, a minute, then more."""

from datetime import timedelta
from typing import Any

from app.domain.scope_pause import RELAPSE
from app.store import Store
from tests.support.messages import status, webhook
from tests.support.sends import WABA, accepted, queued, refused, reserve, send, settle
from tests.support.work import Clock, add_events

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
REPORTED, UNPAID = 131048, 131042


def fail(store: Store, clock: Clock, code: int, *, ago: timedelta = timedelta()) -> None:
    """Tell by a status that a message has failed."""
    at = clock.now - ago
    told: Any = status(f"wamid.{at.timestamp()}", "failed", at=at, errors=[{"code": code, "title": "refused"}])
    add_events(store, *webhook(statuses=[told]))


def steps(store: Store, clock: Clock, count: int) -> list[int]:
    """Return how many messages leave in each of so many steps that Meta accepts."""
    left = []
    for _ in range(count):
        left.append(send(store, accepted()))
        clock.advance(59 * SECOND)
        assert send(store) == 0 or store.sending.pauses() == []
        clock.advance(SECOND)
    return left


def wait(store: Store) -> timedelta | None:
    """Return how long the only scope that is paused waits for its next step; None if a human begins it."""
    [pause] = store.sending.pauses()
    return None if pause.until is None else pause.until - store.clock.now()


def test_a_cooled_scope_goes_on_step_by_step(timed: Store, clock: Clock) -> None:
    fail(timed, clock, REPORTED)
    queued(timed, 12)
    clock.advance(10 * MINUTE)

    left = steps(timed, clock, 2)

    assert left == [1, 10]
    assert send(timed, accepted()) == 1


def test_a_failure_in_any_step_cools_the_scope_for_longer(timed: Store, clock: Clock) -> None:
    fail(timed, clock, REPORTED)
    queued(timed, 200)
    waits = []
    for minutes, count in ((10, 1), (60, 2), (120, 2), (240, 1)):
        clock.advance(minutes * MINUTE)
        steps(timed, clock, count)
        fail(timed, clock, REPORTED)
        waits.append(wait(timed))

    assert waits == [minutes * MINUTE for minutes in (60, 120, 240, 240)]


def test_a_relapse_soon_after_the_last_step_cools_the_scope_for_longer(timed: Store, clock: Clock) -> None:
    waits = []
    for pause in (RELAPSE - 4 * MINUTE, RELAPSE, timedelta()):
        fail(timed, clock, REPORTED)
        waits.append(wait(timed))
        queued(timed, 40)
        clock.advance(waits[-1] or timedelta())
        while timed.sending.pauses():
            steps(timed, clock, 1)
            queued(timed, 10)
        clock.advance(pause)

    assert waits == [10 * MINUTE, 60 * MINUTE, 10 * MINUTE]


def test_a_cooled_scope_without_messages_is_over_after_a_quiet_time(timed: Store, clock: Clock) -> None:
    fail(timed, clock, REPORTED)
    queued(timed)
    clock.advance(10 * MINUTE)
    steps(timed, clock, 1)
    paused = timed.sending.pauses()
    clock.advance(10 * MINUTE)
    over = timed.sending.pauses()
    queued(timed, 40)

    assert (len(paused), over, send(timed, accepted())) == (1, [], 40)


def test_a_probe_that_left_before_the_last_failure_proves_nothing(timed: Store, clock: Clock) -> None:
    fail(timed, clock, REPORTED)
    queued(timed, 40)
    clock.advance(10 * MINUTE)
    probe = reserve(timed)
    clock.advance(SECOND)
    fail(timed, clock, REPORTED)

    settle(timed, probe, accepted())
    clock.advance(60 * MINUTE)

    assert steps(timed, clock, 2) == [1, 10]


def test_an_account_that_is_resumed_loses_one_message_if_it_was_not_mended(timed: Store, clock: Clock) -> None:
    fail(timed, clock, UNPAID)
    queued(timed, 60)
    clock.advance(MINUTE)
    timed.sending.resume(f"waba:{WABA}")

    left = send(timed, accepted())
    clock.advance(SECOND)
    fail(timed, clock, UNPAID)

    assert (left, wait(timed)) == (1, None)
    clock.advance(60 * MINUTE)
    assert send(timed) == 0


def test_an_account_that_is_resumed_and_was_mended_goes_on(timed: Store, clock: Clock) -> None:
    fail(timed, clock, UNPAID)
    queued(timed, 12)
    clock.advance(MINUTE)
    timed.sending.resume(f"waba:{WABA}")

    assert [*steps(timed, clock, 3), timed.sending.pauses()] == [1, 10, 1, []]


def test_a_failure_of_days_ago_stops_no_account_that_works(timed: Store, clock: Clock) -> None:
    queued(timed, 3)
    send(timed, accepted())

    fail(timed, clock, UNPAID, ago=timedelta(days=3))
    queued(timed, 12)

    assert steps(timed, clock, 3) == [1, 10, 1]
    fail(timed, clock, UNPAID, ago=timedelta(days=2))
    assert timed.sending.pauses() == []


def test_a_failure_of_days_ago_that_still_holds_costs_one_message(timed: Store, clock: Clock) -> None:
    fail(timed, clock, UNPAID, ago=timedelta(days=3))
    queued(timed, 40)

    left = send(timed, accepted())
    clock.advance(SECOND)
    fail(timed, clock, UNPAID)

    assert (left, send(timed), wait(timed)) == (1, 0, None)


def test_a_failure_of_hours_ago_shortens_no_pause(timed: Store, clock: Clock) -> None:
    queued(timed)
    for minutes in (10, 60, 90):
        send(timed, refused(REPORTED))
        clock.advance(minutes * MINUTE)

    fail(timed, clock, REPORTED, ago=80 * MINUTE)

    assert wait(timed) == 30 * MINUTE
