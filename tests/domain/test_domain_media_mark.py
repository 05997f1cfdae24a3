"""Whose a folder of media is, by the mark in it and the marks that the database knows."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.media_mark import FolderMark, FolderUse, KnownMarks, is_to_be_renewed, use_of

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SEEN, MISSED = KnownMarks("new", "old", NOON - 6 * MINUTE), KnownMarks("new", "old", NOON - 21 * MINUTE)


def mark(text: str, age: timedelta = MINUTE) -> FolderMark:
    return FolderMark(text, age)


@pytest.mark.parametrize(
    ("found", "known", "use"),
    [
        (None, None, FolderUse.FREE),
        (mark("new"), SEEN, FolderUse.OURS),
        (mark("old", 9 * DAY), MISSED, FolderUse.OURS),
        (mark("another"), SEEN, FolderUse.FOREIGN),
        (mark("another"), None, FolderUse.FOREIGN),
        (mark("another", 2 * DAY), SEEN, FolderUse.ABSENT),
        (mark("another", 2 * DAY), None, FolderUse.FREE),
        (None, SEEN, FolderUse.ABSENT),
        (None, MISSED, FolderUse.FREE),
    ],
)
def test_the_mark_of_a_folder_tells_whose_it_is(
    found: FolderMark | None, known: KnownMarks | None, use: FolderUse
) -> None:
    assert use_of(found, known, NOON) is use


def test_a_mark_is_renewed_every_few_minutes_and_after_a_clock_was_ahead() -> None:
    seen = [NOON - timedelta(seconds=seconds) for seconds in (10, 301, -10)]

    assert [is_to_be_renewed(KnownMarks("new", None, at), NOON) for at in seen] == [False, True, True]
