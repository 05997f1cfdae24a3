"""Whether a folder of media is the one that a database and all of its machines use. Values only.

The folder holds a mark that the database knows too, and that is renewed every few minutes. A machine that has another
folder finds no mark there. A copy of the database knows old marks only: it finds one that it does not know.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

RENEWED_EVERY = timedelta(minutes=5)
MISSED_AFTER = timedelta(minutes=20)
"""A folder whose mark no process has seen for this long is no longer used: another one may take its place."""

ABANDONED_AFTER = timedelta(days=1)
"""A foreign mark that was not renewed for this long is ignored: its owner is gone."""

CLOCKS_DIFFER = timedelta(hours=1)
"""How far the clock of the folder's disk may be ahead. A mark that is written later than that has a wrong time."""

KEPT_MARKS = 3
"""A mark may reach the folder late, when the disk was slow and another process has made the next one."""

WISH = ""
"""The mark of a file that an operator has made empty: the folder is to be used."""


@dataclass(frozen=True)
class FolderMark:
    """The mark that was found in a folder, and how long ago it was written."""

    text: str
    age: timedelta

    @property
    def is_fresh(self) -> bool:
        """Return whether it was renewed lately."""
        return -CLOCKS_DIFFER < self.age < ABANDONED_AFTER


@dataclass(frozen=True)
class KnownMarks:
    """The marks that a database knows: those of its folder, newest first, and those of the folder before (`former`).

    `seen_at`: when a process has found one of them in the folder last. `renewed_at`: when the newest one was made in
    the place of one that was found; None until then.
    """

    marks: tuple[str, ...]
    seen_at: datetime
    renewed_at: datetime | None = None
    former: tuple[str, ...] = ()


class FolderUse(Enum):
    """To which database a folder belongs.

    `OURS`: this one. `BACK`: an earlier one of this, replaced while no process saw it. `WISHED`: an
    operator wants it used. `FREE`: none yet. `EMPTY`: none, but the database knows files, and none of them is there.
    `ABSENT`: this one uses another folder. `FOREIGN`: a copy of this database uses it.
    """

    OURS = "ours"
    BACK = "back"
    WISHED = "wished"
    FREE = "free"
    EMPTY = "empty"
    ABSENT = "absent"
    FOREIGN = "foreign"


PROBLEMS = {
    FolderUse.ABSENT: "media.directory is not the folder that the other processes use: the mark of the database is"
    " missing there",
    FolderUse.FOREIGN: "media.directory is used by another copy of this database",
    FolderUse.EMPTY: "media.directory has none of the files that were fetched: mount its disk; if they are lost, make"
    " an empty file {mark} there",
}
"""The problems of a folder in which nothing may be written or deleted. `{mark}`: the file of the mark."""


def use_of(found: FolderMark | None, known: KnownMarks | None, now: datetime) -> FolderUse:
    """Return whose the folder with this mark is, for a database that knows these marks."""
    if found is not None:
        if known is not None and found.text in known.marks:
            return FolderUse.OURS
        if found.text == WISH:
            return FolderUse.WISHED
        if found.is_fresh:
            return FolderUse.BACK if known is not None and found.text in known.former else FolderUse.FOREIGN
    if known is not None and now - known.seen_at < MISSED_AFTER:
        return FolderUse.ABSENT
    return FolderUse.FREE


def is_due(at: datetime | None, now: datetime) -> bool:
    """Return whether this was long ago. A time in the future was written by a clock that was wrong."""
    return at is None or not timedelta() <= now - at < RENEWED_EVERY


def renewed(mark: str, found: str, known: KnownMarks, now: datetime) -> KnownMarks:
    """Return what is known after a new mark, in the place of one that was found in the folder.

    If that is one of the former folder, it has its place again: the folder that had taken it is not known any more.
    """
    if found not in known.marks:
        return KnownMarks((mark, found), now, now)
    newest = known.marks[: KEPT_MARKS - 1]
    others = newest if found in newest else (*newest[:-1], found)
    return KnownMarks((mark, *others), now, now, known.former)


def taken(mark: str, known: KnownMarks | None, never: datetime, *, is_wished: bool) -> KnownMarks:
    """Return what is known after a new mark in a folder that had none: it was seen there `never` until now.

    The folder before is known if it comes back, unless an operator wishes this one. A mark that has not come to the
    folder yet may still come.
    """
    if known is None:
        return KnownMarks((mark,), never)
    if known.renewed_at is None:
        return KnownMarks((mark, *known.marks)[:KEPT_MARKS], never, None, () if is_wished else known.former)
    return KnownMarks((mark,), never, None, () if is_wished else known.marks)
