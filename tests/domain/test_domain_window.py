"""The customer service window: 24 hours from what the customer did last."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.window import Window, WindowPolicy

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
A_DAY = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)

OPEN, CLOSED, STRANGER = Window(NOON), Window(NOON - A_DAY), Window(None)


def test_a_window_is_open_for_24_hours() -> None:
    assert OPEN.expires_at == NOON + A_DAY
    assert OPEN.is_open(NOON + A_DAY - MOMENT)
    assert not OPEN.is_open(NOON + A_DAY)
    assert OPEN.remaining(NOON + timedelta(hours=23)) == timedelta(hours=1)
    assert OPEN.remaining(NOON + 2 * A_DAY) == timedelta()


def test_the_window_of_a_customer_who_was_never_heard_of_is_closed() -> None:
    assert STRANGER.expires_at is None
    assert not STRANGER.is_open(NOON)
    assert STRANGER.remaining(NOON) == timedelta()


@pytest.mark.parametrize(
    ("window", "policy", "is_exempt", "forbidden"),
    [
        (CLOSED, "enforce", False, True),
        (CLOSED, "enforce", True, False),
        (CLOSED, "warn", False, False),
        (CLOSED, "off", False, False),
        (OPEN, "enforce", False, False),
        (STRANGER, "enforce", False, False),
    ],
)
def test_only_a_window_that_is_known_to_be_closed_forbids_and_only_if_the_policy_says_so(
    window: Window, policy: WindowPolicy, is_exempt: bool, forbidden: bool
) -> None:
    assert window.forbids(policy, NOON, is_exempt=is_exempt) is forbidden
