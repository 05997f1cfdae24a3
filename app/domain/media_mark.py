"""Whether a folder of media is the one that a database and all of its machines use. Values only.

The folder holds a mark that the database knows too, and that is renewed every few minutes. A machine that has another
folder finds no mark there. A copy of the database knows old marks only: it finds one that it does not know.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

RENEWED_EVERY = timedelta(minutes=5)
MISSED_AFTER = timedelta(minutes=20)
"""A folder whose mark was not seen for so long is used no more: the next one without a mark takes its place."""

ABANDONED_AFTER = timedelta(days=1)
"""A mark of somebody else that was not renewed for so long stands for nobody."""


@dataclass(frozen=True)
class FolderMark:
    """The mark that was found in a folder, and how long ago it was written."""

    text: str
    age: timedelta


@dataclass(frozen=True)
class KnownMarks:
    """The marks that a database knows: the newest one, and the one that it has replaced.

    `seen_at`: when one of them was found in the folder last.
    """

    current: str
    previous: str | None
    seen_at: datetime


class FolderUse(Enum):
    """Whose a folder is: this database's, nobody's yet, not the one that its machines use, or another database's."""

    OURS = "ours"
    FREE = "free"
    ABSENT = "absent"
    FOREIGN = "foreign"


PROBLEMS = {
    FolderUse.ABSENT: "media.directory is not the folder that the other processes use: the mark of the database is"
    " missing there",
    FolderUse.FOREIGN: "media.directory is used by another copy of this database",
}
"""What is wrong with a folder in which nothing may be written or deleted."""


def use_of(found: FolderMark | None, known: KnownMarks | None, now: datetime) -> FolderUse:
    """Return whose the folder with this mark is, for a database that knows these marks."""
    if found is not None and known is not None and found.text in (known.current, known.previous):
        return FolderUse.OURS
    if found is not None and found.age < ABANDONED_AFTER:
        return FolderUse.FOREIGN
    if known is not None and now - known.seen_at < MISSED_AFTER:
        return FolderUse.ABSENT
    return FolderUse.FREE


def is_to_be_renewed(known: KnownMarks, now: datetime) -> bool:
    """Return whether the mark is old. A time that is still to come was told by a clock that was wrong."""
    return not timedelta() <= now - known.seen_at < RENEWED_EVERY
