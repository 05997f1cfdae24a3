"""Times on the command line."""

from datetime import timedelta

import pytest

from app.cli.times import ago, is_time, with_times_ago
from app.domain.timestamps import iso
from tests.support.store import NOON


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (48 * 3600, "2 days ago"),
        (400 * 86400, "400 days ago"),
        (-30, "in 30 s"),
        (-300, "in 5 min"),
    ],
)
def test_a_time_is_printed_by_its_distance(seconds: int, text: str) -> None:
    assert ago(iso(NOON), NOON + timedelta(seconds=seconds)) == text


def test_the_times_in_a_sentence_are_printed_by_their_distance() -> None:
    said = f"the oldest since {iso(NOON)}; one message is tried at {iso(NOON + timedelta(minutes=10))}"

    assert (
        with_times_ago(said, NOON + timedelta(minutes=5))
        == "the oldest since 5 min ago; one message is tried in 5 min"
    )


@pytest.mark.parametrize("odd", ["", "soon", "2026-01-02", "9" * 400])
def test_what_is_no_time_is_shown_as_it_is(odd: str) -> None:
    assert ago(odd, NOON) == odd


def test_a_field_is_a_time_by_its_name() -> None:
    assert is_time("receivedAt", "x")
    assert is_time("at", "x")
    assert is_time("heldBy.until", "x")
    assert not is_time("receivedAt", None)
    assert not is_time("format", "x")
