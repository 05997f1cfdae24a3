"""The brake on calls: what each answer says of Meta's limits decides whether the next call is made."""

import json

import pytest

from app.domain.meta.usage import APP, BUSINESS
from app.graph.brake import CallBrake
from app.graph.call import GraphUnreachable


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def brake(seconds: Seconds) -> CallBrake:
    return CallBrake(seconds)


def business(percent: int, regain: int = 0) -> dict[str, str]:
    return {BUSINESS: json.dumps({"1": [{"call_count": percent, "estimated_time_to_regain_access": regain}]})}


def wait_of(brake: CallBrake, *, can_wait: bool = False) -> int | None:
    """Return for how many seconds no call is made; None if one is."""
    try:
        brake.check(can_wait=can_wait)
    except GraphUnreachable as failure:
        return failure.retry_seconds
    return None


def test_calls_go_on_while_enough_is_left(brake: CallBrake) -> None:
    for headers in ({}, business(89), {APP: "nonsense"}):
        brake.learn(headers)

    assert (wait_of(brake), wait_of(brake, can_wait=True)) == (None, None)


@pytest.mark.parametrize("headers", [business(90), {APP: '{"total_time": 95}'}])
def test_what_can_wait_leaves_the_rest_of_a_limit_to_clients(
    brake: CallBrake, seconds: Seconds, headers: dict[str, str]
) -> None:
    for _ in range(2):
        brake.learn(headers)
        seconds.now += 299

        assert (wait_of(brake), wait_of(brake, can_wait=True)) == (None, 1)

    seconds.now += 1
    assert wait_of(brake, can_wait=True) is None


@pytest.mark.parametrize(("percent", "regain", "wait"), [(100, 0, 60), (5, 3, 180), (120, 10**6, 3600)])
def test_nothing_is_called_while_a_limit_is_used_up(
    brake: CallBrake, seconds: Seconds, percent: int, regain: int, wait: int
) -> None:
    brake.learn(business(percent, regain))

    assert (wait_of(brake), wait_of(brake, can_wait=True)) == (wait, wait)
    seconds.now += wait
    assert (wait_of(brake), wait_of(brake, can_wait=True)) == (None, 300)
