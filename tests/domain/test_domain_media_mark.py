"""Whose a folder of media is, by the mark in it and the marks that the database knows."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.media_mark import FolderMark, FolderUse, KnownMarks, is_due, renewed, taken, use_of

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MARKS, FORMER = ("new", "old", "late"), ("before", "long before")
SEEN = KnownMarks(MARKS, NOON - 6 * MINUTE, NOON - 9 * MINUTE, FORMER)
MISSED = KnownMarks(MARKS, NOON - 21 * MINUTE, NOON - 21 * MINUTE, FORMER)


def mark(text: str, age: timedelta = MINUTE) -> FolderMark:
    return FolderMark(text, age)


@pytest.mark.parametrize(
    ("found", "known", "use"),
    [
        (None, None, FolderUse.FREE),
        (mark("new"), SEEN, FolderUse.OURS),
        (mark("old", 9 * DAY), MISSED, FolderUse.OURS),
        (mark("late"), SEEN, FolderUse.OURS),
        (mark("before"), SEEN, FolderUse.BACK),
        (mark("before", 2 * DAY), SEEN, FolderUse.ABSENT),
        (mark(""), SEEN, FolderUse.WISHED),
        (mark(""), None, FolderUse.WISHED),
        (mark("another"), SEEN, FolderUse.FOREIGN),
        (mark("another"), None, FolderUse.FOREIGN),
        (mark("another", 2 * DAY), SEEN, FolderUse.ABSENT),
        (mark("another", 2 * DAY), None, FolderUse.FREE),
        (mark("another", -MINUTE), None, FolderUse.FOREIGN),
        (mark("another", -9 * DAY), None, FolderUse.FREE),
        (None, SEEN, FolderUse.ABSENT),
        (None, MISSED, FolderUse.FREE),
    ],
)
def test_the_mark_of_a_folder_tells_whose_it_is(
    found: FolderMark | None, known: KnownMarks | None, use: FolderUse
) -> None:
    assert use_of(found, known, NOON) is use


def test_a_mark_is_renewed_every_few_minutes_and_after_a_clock_was_ahead() -> None:
    ago = [NOON - timedelta(seconds=seconds) for seconds in (10, 301, -10)]

    assert [is_due(at, NOON) for at in (*ago, None)] == [False, True, True, True]


@pytest.mark.parametrize(
    ("found", "marks"),
    [("new", ("next", "new", "old")), ("old", ("next", "new", "old")), ("late", ("next", "new", "late"))],
)
def test_the_mark_that_was_found_and_the_newest_other_ones_stay_known(found: str, marks: tuple[str, ...]) -> None:
    assert renewed("next", found, SEEN, NOON) == KnownMarks(marks, NOON, NOON, FORMER)


def test_a_folder_that_comes_back_has_its_place_and_the_other_one_is_not_known_any_more() -> None:
    known = renewed("next", "before", SEEN, NOON)

    assert known == KnownMarks(("next", "before"), NOON, NOON)


@pytest.mark.parametrize(
    ("known", "is_wished", "new"),
    [
        (None, False, KnownMarks(("next",), NEVER)),
        (MISSED, False, KnownMarks(("next",), NEVER, None, MARKS)),
        (MISSED, True, KnownMarks(("next",), NEVER)),
        (KnownMarks(("n",), NEVER, None, FORMER), False, KnownMarks(("next", "n"), NEVER, None, FORMER)),
        (KnownMarks(("n",), NEVER, None, FORMER), True, KnownMarks(("next", "n"), NEVER)),
    ],
)
def test_the_former_folder_stays_known_unless_an_operator_wishes_the_new_one(
    known: KnownMarks | None, is_wished: bool, new: KnownMarks
) -> None:
    assert taken("next", known, NEVER, is_wished=is_wished) == new
