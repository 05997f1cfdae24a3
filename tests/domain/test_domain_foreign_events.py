"""Which foreign events need a human, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.foreign_events import ForeignSource, sources_of
from app.domain.subscription import Ours

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS = Ours(frozenset({"1"}), frozenset({"2"}))


def test_the_events_of_a_source_are_counted() -> None:
    latest = [("1", "3", NOON), (None, "4", NOON - HOUR), ("1", "3", NOON - 2 * HOUR)]

    assert sources_of(latest) == [
        ForeignSource("1", "3", 2, NOON - 2 * HOUR, NOON),
        ForeignSource(None, "4", 1, NOON - HOUR, NOON - HOUR),
    ]


@pytest.mark.parametrize(
    ("waba_id", "number", "age", "expected"),
    [
        ("1", "3", 23 * HOUR, True),
        ("1", "3", 24 * HOUR, False),
        ("1", "2", HOUR, False),
        ("0", "123456123", HOUR / 2, True),
        ("0", "123456123", HOUR, False),
    ],
)
def test_a_source_is_listed_until_it_is_in_the_config_or_a_day_has_passed(
    waba_id: str, number: str, age: timedelta, expected: bool
) -> None:
    source = ForeignSource(waba_id, number, 1, NOON, NOON)

    assert source.needs_a_look(NOON + age, OURS) is expected
