"""The watch of the clock notices a jump either way, and pulls back what waits because of it."""

from datetime import datetime, timedelta

import pytest

from app.domain.clock import ClockJump
from app.domain.job import PRUNE_QUEUE, SPLIT_QUEUE
from app.jobs.clock_watch import ClockWatch
from app.store import Store, StoreUnavailable
from tests.support.store import NOON, StoreMaker
from tests.support.work import CRM, LEASE, Clock, add_events, claim, clock, split_event, timed

__all__ = ["clock", "timed"]

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHIFTS = pytest.mark.parametrize("shift", [HOUR, DAY], ids=["hour", "day"])
QUEUES = (SPLIT_QUEUE, PRUNE_QUEUE, CRM)


class Elapsed:
    """A clock that never jumps. It moves only by `pass_`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class FreezingClock(Clock):
    """A sound clock for a store. The process can be frozen while it reads it."""

    def __init__(self, elapsed: Elapsed) -> None:
        super().__init__()
        self._elapsed = elapsed
        self._frozen, self._is_read_after = timedelta(), False

    def freeze(self, frozen: timedelta, *, is_read_after: bool) -> None:
        """Freeze the next time. The time that is read is the one after that, or the one before."""
        self._frozen, self._is_read_after = frozen, is_read_after

    def __call__(self) -> datetime:
        before, self.now = self.now, self.now + self._frozen
        self._elapsed.seconds += self._frozen.total_seconds()
        self._frozen = timedelta()
        return self.now if self._is_read_after else before


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def watch(timed: Store, elapsed: Elapsed) -> ClockWatch:
    return ClockWatch(timed, QUEUES, LEASE, elapsed)


def is_due(store: Store) -> bool:
    return bool(claim(store)) and bool(claim(store, SPLIT_QUEUE))


@SHIFTS
def test_what_a_clock_ahead_left_behind_is_due_at_the_start(
    timed: Store, clock: Clock, watch: ClockWatch, shift: timedelta
) -> None:
    clock.advance(shift)
    add_events(timed, split_event("a"))
    clock.advance(-shift)

    watch.look()

    assert timed.clock.last_jump() == ClockJump(NOON, -shift.total_seconds())
    assert is_due(timed)


@SHIFTS
def test_a_clock_that_is_set_back_while_a_worker_runs_is_noticed(
    timed: Store, clock: Clock, watch: ClockWatch, shift: timedelta
) -> None:
    clock.advance(shift)
    watch.look()
    add_events(timed, split_event("a"))

    clock.advance(-shift)
    watch.look()

    assert timed.clock.last_jump() == ClockJump(NOON, -shift.total_seconds())
    assert is_due(timed)


@SHIFTS
def test_a_clock_that_jumps_ahead_is_noticed(timed: Store, clock: Clock, watch: ClockWatch, shift: timedelta) -> None:
    add_events(timed, split_event("a"))
    watch.look()

    clock.advance(shift)
    watch.look()

    assert timed.clock.last_jump() == ClockJump(NOON + shift, shift.total_seconds())
    assert is_due(timed)


def test_time_that_passes_is_no_jump(timed: Store, clock: Clock, elapsed: Elapsed, watch: ClockWatch) -> None:
    for _ in range(3):
        watch.look()
        clock.advance(HOUR + 5 * SECOND)
        elapsed.seconds += 3600

    assert timed.clock.last_jump() is None


@pytest.mark.parametrize("is_read_after", [False, True])
def test_a_process_that_is_frozen_while_it_reads_the_clock_notices_no_jump(
    elapsed: Elapsed, url: str, make_store: StoreMaker, is_read_after: bool
) -> None:
    clock = FreezingClock(elapsed)
    store = make_store(url, clock=clock)
    watch = ClockWatch(store, QUEUES, LEASE, elapsed)
    watch.look()

    clock.freeze(MINUTE, is_read_after=is_read_after)
    watch.look()
    watch.look()

    assert store.clock.last_jump() is None


def test_jobs_from_the_future_are_noticed_without_a_jump_in_this_process(
    timed: Store, clock: Clock, elapsed: Elapsed, watch: ClockWatch, url: str, make_store: StoreMaker
) -> None:
    watch.look()
    ahead = Clock()
    ahead.advance(DAY)
    add_events(make_store(url, clock=ahead), split_event("a"))

    watch.look()

    assert timed.clock.last_jump() == ClockJump(NOON, -DAY.total_seconds())
    assert is_due(timed)


def test_a_jump_is_not_forgotten_while_the_store_is_unavailable(
    timed: Store, clock: Clock, watch: ClockWatch
) -> None:
    watch.look()
    timed.write(lambda c: c.exec_driver_sql("ALTER TABLE clock_jump RENAME TO away"))
    clock.advance(-DAY)
    with pytest.raises(StoreUnavailable):
        watch.look()
    timed.write(lambda c: c.exec_driver_sql("ALTER TABLE away RENAME TO clock_jump"))

    watch.look()

    assert timed.clock.last_jump() == ClockJump(clock.now, -DAY.total_seconds())


@pytest.mark.parametrize("shift", [DAY, -DAY])
def test_a_clock_that_jumps_while_a_worker_runs_is_doubted(
    timed: Store, clock: Clock, watch: ClockWatch, caplog: pytest.LogCaptureFixture, shift: timedelta
) -> None:
    watch.look()
    before = timed.clock.is_trusted()

    clock.advance(shift)
    watch.look()
    watch.look()

    assert (before, timed.clock.is_trusted()) == (True, False)
    assert [record.getMessage() for record in caplog.records].count("clock.doubted") == 1


def test_a_worker_that_runs_trusts_the_clock_also_after_the_machine_slept(
    timed: Store, clock: Clock, elapsed: Elapsed, watch: ClockWatch
) -> None:
    for _ in range(3):
        watch.look()
        clock.advance(DAY)
        elapsed.seconds += DAY.total_seconds()
    watch.look()

    assert timed.clock.is_trusted()


def test_a_worker_that_starts_does_not_know_whether_time_has_passed_or_the_clock_has_jumped(
    timed: Store, clock: Clock, watch: ClockWatch, elapsed: Elapsed
) -> None:
    watch.look()
    clock.advance(DAY)

    ClockWatch(timed, QUEUES, LEASE, elapsed).look()

    assert not timed.clock.is_trusted()
