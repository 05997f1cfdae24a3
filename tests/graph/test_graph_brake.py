"""The brake on calls: what each answer says of Meta's limits decides whether the next call is made."""

import json
from collections.abc import Iterable

import pytest

from app.domain.meta.graph_errors import ErrorScope
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
    """The brake of a profile with one account."""
    return CallBrake(["1"], ["11"], seconds)


@pytest.fixture
def shared(seconds: Seconds) -> CallBrake:
    """The brake of a profile with two accounts: 1 with the number 11, and 2 with the numbers 21 and 22."""
    return CallBrake(["1", "2"], ["11", "21", "22"], seconds)


def business(percent: int, regain: int = 0, account: str = "1") -> dict[str, str]:
    return {BUSINESS: json.dumps({account: [{"call_count": percent, "estimated_time_to_regain_access": regain}]})}


def wait_of(brake: CallBrake, path: str = "11/media", *, can_wait: bool = False) -> int | None:
    """Return for how many seconds no call is made; None if one is."""
    try:
        brake.check(path, can_wait=can_wait)
    except GraphUnreachable as failure:
        return failure.retry_seconds
    return None


def held(brake: CallBrake, paths: Iterable[str] = ("1", "11/media", "2", "21/media", "22", "77")) -> list[str]:
    """Return the paths that are not called now."""
    return [path for path in paths if wait_of(brake, path) is not None]


def test_calls_go_on_while_enough_is_left(brake: CallBrake) -> None:
    for headers in ({}, business(89), {APP: "nonsense"}):
        brake.learn("11/messages", headers)

    assert (wait_of(brake), wait_of(brake, can_wait=True)) == (None, None)


@pytest.mark.parametrize("headers", [business(90), {APP: '{"total_time": 95}'}])
def test_what_can_wait_leaves_the_rest_of_a_limit_to_clients(
    brake: CallBrake, seconds: Seconds, headers: dict[str, str]
) -> None:
    for _ in range(2):
        brake.learn("11/messages", headers)
        seconds.now += 299

        assert (wait_of(brake), wait_of(brake, can_wait=True)) == (None, 1)

    seconds.now += 1
    assert wait_of(brake, can_wait=True) is None


@pytest.mark.parametrize(("percent", "regain", "wait"), [(100, 0, 60), (5, 3, 180), (120, 10**6, 3600)])
def test_nothing_is_called_while_a_limit_is_used_up(
    brake: CallBrake, seconds: Seconds, percent: int, regain: int, wait: int
) -> None:
    brake.learn("11/messages", business(percent, regain))

    assert (wait_of(brake), wait_of(brake, can_wait=True)) == (wait, wait)
    seconds.now += wait
    assert (wait_of(brake), wait_of(brake, can_wait=True)) == (None, 300)


def test_an_account_that_has_used_up_its_limit_holds_up_no_other(shared: CallBrake) -> None:
    shared.learn("21/messages", business(50, account="2"))

    shared.learn("2/message_templates", business(100, account="2"))

    assert held(shared) == ["2", "21/media"]


def test_a_number_belongs_to_the_account_that_an_answer_to_it_names(shared: CallBrake) -> None:
    shared.learn("22", business(100, 3, account="2"))

    assert held(shared) == ["2", "22"]
    assert wait_of(shared, "22") == 180


def test_the_limit_of_the_app_holds_up_every_account(shared: CallBrake) -> None:
    shared.learn("11", {APP: '{"call_count": 100}'})

    assert held(shared) == ["1", "11/media", "2", "21/media", "22", "77"]


def test_a_limit_under_the_id_of_a_business_is_that_of_the_account_that_was_called(shared: CallBrake) -> None:
    shared.learn("1/phone_numbers", business(100, account="business"))
    shared.learn("77", business(100, account="business"))

    assert held(shared) == ["1", "77"]


@pytest.mark.parametrize(
    ("path", "scope", "expected"),
    [
        ("2/message_templates", ErrorScope.WABA, ["2"]),
        ("21/media", ErrorScope.WABA, ["21/media"]),
        ("88", ErrorScope.WABA, ["77"]),
        ("21/media", ErrorScope.APP, ["1", "11/media", "2", "21/media", "22", "77"]),
    ],
)
def test_a_refused_call_rests_its_account_or_the_app(
    shared: CallBrake, path: str, scope: ErrorScope, expected: list[str]
) -> None:
    shared.refused(path, scope, 0)

    assert held(shared) == expected


def test_a_refusal_shortens_no_rest(brake: CallBrake, seconds: Seconds) -> None:
    brake.learn("11", business(100, 3))

    brake.refused("11", ErrorScope.WABA, 0)

    assert wait_of(brake) == 180
    brake.refused("11", ErrorScope.WABA, 200)
    assert wait_of(brake) == 200
