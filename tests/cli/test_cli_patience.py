"""A command waits for a reader that keeps the database's file from being cleaned, and gives up after a minute."""

from app.cli.patience import MAX_SECONDS, PAUSE_SECONDS, Patience


class SleepingClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_steps_that_come_no_further_are_repeated_for_a_minute_with_pauses() -> None:
    clock = SleepingClock()
    patience = Patience(clock=clock, sleep=clock.sleep)

    steps = 1
    while not patience.ends_at(7):
        steps += 1

    assert MAX_SECONDS < clock.now <= MAX_SECONDS + 2 * PAUSE_SECONDS
    assert steps > MAX_SECONDS / PAUSE_SECONDS


def test_a_step_that_comes_further_is_followed_at_once_and_begins_the_minute_anew() -> None:
    clock = SleepingClock()
    patience = Patience(clock=clock, sleep=clock.sleep)
    while clock.now < MAX_SECONDS:
        patience.ends_at(1)

    ends = [patience.ends_at(position) for position in (2, 2, 3)]

    assert ends == [False, False, False]
    assert clock.now < MAX_SECONDS + 3 * PAUSE_SECONDS
