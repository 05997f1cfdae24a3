"""Which globs can match an event: the families of types are known, their members are not."""

import pytest

from app.domain.event_families import FAMILIES, can_match, mistake_in
from app.web.examples import example_events


def test_every_type_that_we_know_is_of_a_known_family() -> None:
    assert {type_.partition(".")[0] for type_ in example_events()} == set(FAMILIES)


@pytest.mark.parametrize(
    "glob",
    [
        "*",
        "?rror",
        "error",
        "err*",
        "message.*",
        "message*",
        "mess*",
        "m?ssage.text",
        "*.status.*",
        "message.new_word",
    ],
)
def test_a_glob_that_a_family_matches_is_no_mistake(glob: str) -> None:
    assert can_match(glob)
    assert mistake_in(glob) is None


@pytest.mark.parametrize(
    ("glob", "mistake"),
    [
        ("messages.text", "messages.text matches no event; did you mean message.*?"),
        ("messages.*", "messages.* matches no event; did you mean message.*?"),
        ("message", "message matches no event; did you mean message.*?"),
        ("x*", "It matches no event; types begin with account, "),
        ("secret-token-4711", "It matches no event; types begin with account, "),
    ],
)
def test_a_glob_that_no_family_matches_is_a_mistake_with_the_nearest_one(glob: str, mistake: str) -> None:
    told = mistake_in(glob)

    assert told is not None
    assert told.startswith(mistake)
