"""When the fake Meta posts its webhooks: late, in another order, in batches. Its clock is moved by the tests."""

import json
from collections.abc import Callable, Iterator

import pytest

from app.graph.fake.accounts import Number
from app.graph.fake.clock import MovableClock
from app.graph.fake.posting import Poster
from app.graph.fake.switches import Switches
from app.graph.fake.webhooks import change_of
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import ACCOUNTS
from tests.support.receiver import Receiver, receiving
from tests.support.waiting import wait_for

Start = Callable[[Switches, int], Poster]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(at=0.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.status = 200
        yield receiver


@pytest.fixture
def start(clock: MovableClock, receiver: Receiver) -> Iterator[Start]:
    """Plan this many statuses for now, and begin to post them as the switches say."""
    started: list[Poster] = []

    def start(switches: Switches, count: int) -> Poster:
        poster = Poster(f"http://127.0.0.1:{receiver.server_port}/", ACCOUNTS, clock, lambda: switches)
        for at in range(count):
            poster.plan(0, change_of(Number(NUMBER, WABA), statuses=[{"id": str(at), "status": "sent"}]))
        poster.start()
        started.append(poster)
        return poster

    yield start
    for poster in started:
        poster.stop()


def ids_at(at: float, poster: Poster) -> list[str]:
    return sorted(each for posted in poster.posted if posted.at == at for each in statuses(posted.body))


def statuses(body: bytes) -> list[str]:
    [entry] = json.loads(body)["entry"]
    return [status["id"] for change in entry["changes"] for status in change["value"]["statuses"]]


def advance(clock: MovableClock, poster: Poster, seconds: float, *, until_left: int) -> None:
    """Move the clock, and wait until this many webhooks are left."""
    clock.advance(seconds)
    poster.wake()
    wait_for(lambda: poster.pending == until_left)


def test_webhooks_may_come_late(clock: MovableClock, start: Start) -> None:
    poster = start(Switches(webhook_delay_seconds=100), 1)

    advance(clock, poster, 99, until_left=1)
    advance(clock, poster, 1, until_left=0)

    assert [posted.at for posted in poster.posted] == [100]


def test_webhooks_may_come_in_another_order(clock: MovableClock, start: Start) -> None:
    poster = start(Switches(shuffle_seconds=100), 8)

    advance(clock, poster, 50, until_left=3)
    advance(clock, poster, 50, until_left=0)

    assert ids_at(50, poster) == ["0", "1", "3", "4", "7"]
    assert ids_at(100, poster) == ["2", "5", "6"]


def test_webhooks_may_hold_several_updates_each(clock: MovableClock, start: Start) -> None:
    poster = start(Switches(batch=3, batch_seconds=5), 4)

    advance(clock, poster, 4, until_left=4)
    advance(clock, poster, 1, until_left=0)

    assert sorted(len(statuses(posted.body)) for posted in poster.posted) == [1, 3]
