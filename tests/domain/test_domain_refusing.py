"""When refusals of different events say that a destination fails."""

from datetime import UTC, datetime

import pytest

from app.domain.breaker import Breaker
from app.domain.refusing import after_refusals, is_refusing

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("refusals", "status", "expected"),
    [(4, 404, False), (5, 404, True), (5, 401, True), (5, 422, False), (11, 422, False), (12, 422, True)],
)
def test_fewer_refusals_are_needed_where_the_address_is_wrong(refusals: int, status: int, expected: bool) -> None:
    assert is_refusing(refusals, status) is expected


def test_a_run_of_refusals_opens_the_breaker_and_a_refused_probe_opens_it_for_longer() -> None:
    opened = after_refusals(Breaker(), NOON, 0.5)
    assert opened.open_until is not None
    again = after_refusals(opened, opened.open_until, 0.5)

    assert (opened.failures, opened.trips, again.trips) == (5, 1, 2)
    assert again.open_until is not None
    assert again.open_until - opened.open_until > opened.open_until - NOON
