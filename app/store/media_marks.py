"""The mark of the folder of media: it shows that all machines use one folder, and no other database uses it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from socket import gethostname

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, text, update

from app.domain.media_file import FileState
from app.domain.media_mark import PROBLEMS, FolderMark, FolderUse, KnownMarks, is_due, renewed, taken, use_of
from app.store.media_folder import MARK, FolderUnusable, MediaFolder
from app.store.repository import Repository
from app.store.tables.media import page_of_files
from app.store.tables.media_schema import media_files, media_folder_problems, media_marks
from app.store.tables.types import EPOCH, MAX_ROW_ID, UtcDateTime

MAX_NAME = 200
PROBLEM_LASTS = timedelta(hours=2)
"""How long a recorded problem counts. Each use of the folder records it again while it lasts."""

SAMPLE = 20
"""How many of the newest files are looked for in a folder without a mark."""

_ADD = text(
    "INSERT INTO media_marks (id, current, seen_at) VALUES (1, :current, :seen_at) ON CONFLICT (id) DO NOTHING"
).bindparams(bindparam("seen_at", type_=UtcDateTime))
_PUT_PROBLEM = text(
    "INSERT INTO media_folder_problems (machine, problem, at) VALUES (:machine, :problem, :at)"
    " ON CONFLICT (machine) DO UPDATE SET problem = excluded.problem, at = excluded.at"
).bindparams(bindparam("at", type_=UtcDateTime))

_NEWEST = page_of_files(FileState.STORED, MAX_ROW_ID, SAMPLE).with_only_columns(media_files.c.media_id)
_NEWEST_DELETED = (
    select(media_files.c.media_id)
    .where(
        media_files.c.state == FileState.DELETED.value,
        media_files.c.attempts > 0,
        media_files.c.last_error.is_(None),
    )
    .order_by(media_files.c.id.desc())
    .limit(SAMPLE)
)
"""Deleted files that had been fetched: their last attempt has no error. They are to be removed from the folder."""


@dataclass(frozen=True)
class _Seen:
    """The state of the folder when it was looked at, and what the database knows."""

    use: FolderUse
    found: FolderMark | None
    known: KnownMarks | None
    now: datetime


class MediaMarks(Repository):
    """The marks that the database knows, and the machines on which the folder is another one."""

    def look(self, folder: MediaFolder, *, renews: bool = False) -> None:
        """Look whether this machine's folder is the right one, or a new one, and record what is wrong with it.

        Nothing is written or deleted in a wrong folder from then on. One process at a time `renews` the mark;
        each one that finds it records that the folder is there.
        """
        try:
            problem = self._problem(folder, renews=renews)
        except FolderUnusable as unusable:
            problem = str(unusable)
        if problem is not None or folder.problem is not None:
            machine = gethostname()[:MAX_NAME]
            self._store.write(lambda c: _put_problem(c, self._store.now(c), machine, problem), durable=False)
        folder.problem = problem

    def problems(self) -> list[tuple[str, str]]:
        """Return the machines with a wrong folder, each with what is wrong."""
        columns = media_folder_problems.c

        def read(connection: Connection) -> list[tuple[str, str]]:
            since = self._store.now(connection) - PROBLEM_LASTS
            query = select(columns.machine, columns.problem).where(columns.at > since).order_by(columns.machine)
            return [tuple(row) for row in connection.execute(query)]

        return self._store.database.read(read)

    def _problem(self, folder: MediaFolder, *, renews: bool) -> str | None:
        seen = self._see(folder)
        if seen.use in PROBLEMS:
            return PROBLEMS[seen.use].format(mark=f"{folder.path.name}/{MARK}")
        match seen:
            case _Seen(FolderUse.OURS | FolderUse.BACK, FolderMark(found), KnownMarks() as known, now):
                if seen.use is FolderUse.BACK or (renews and is_due(known.renewed_at, now)):
                    self._renew(folder, known, lambda mark, at: renewed(mark, found, known, at))
                elif is_due(known.seen_at, now):
                    self._store.write(lambda c: _was_seen(c, self._store.now(c), known), durable=False)
            case _Seen(use, _, former) if renews:
                is_wished = use is FolderUse.WISHED
                self._renew(folder, former, lambda mark, _: taken(mark, former, EPOCH, is_wished=is_wished))
        return None

    def _see(self, folder: MediaFolder) -> _Seen:
        found, (known, now) = folder.mark(), self._store.database.read(lambda c: (_known(c), self._store.now(c)))
        use = use_of(found, known, now)
        if use is FolderUse.FREE and self._has_lost_files(folder):
            use = FolderUse.EMPTY
        return _Seen(use, found, known, now)

    def _has_lost_files(self, folder: MediaFolder) -> bool:
        """Return whether files were fetched and none of the newest ones is in the folder, as below a mount point."""
        newest = self._store.database.read(_newest)
        return bool(newest) and not folder.has_one_of(newest)

    def _renew(
        self, folder: MediaFolder, known: KnownMarks | None, change: Callable[[str, datetime], KnownMarks]
    ) -> None:
        """Make a new mark. The database has it first: if it never comes to the folder, that has the former one."""
        mark = secrets.token_hex(16)
        if self._store.write(lambda c: _replace(c, known, change(mark, self._store.now(c)))):
            folder.put_mark(mark)


def _known(connection: Connection) -> KnownMarks | None:
    row = connection.execute(select(media_marks)).one_or_none()
    if row is None:
        return None
    marks = tuple(mark for mark in (row.current, row.previous, row.earlier) if mark is not None)
    return KnownMarks(marks, row.seen_at, row.renewed_at, tuple((row.former or "").split()))


def _newest(connection: Connection) -> list[str]:
    return [media_id for query in (_NEWEST, _NEWEST_DELETED) for media_id in connection.execute(query).scalars()]


def _replace(connection: Connection, known: KnownMarks | None, new: KnownMarks) -> bool:
    """Store the marks unless another process has replaced the known ones; return whether they are stored."""
    marks = zip_longest(("current", "previous", "earlier"), new.marks)
    row = {**dict(marks), "former": " ".join(new.former), "seen_at": new.seen_at, "renewed_at": new.renewed_at}
    if known is None:
        return connection.execute(_ADD, row).rowcount > 0
    return connection.execute(update(media_marks).where(_is_current(known)).values(row)).rowcount > 0


def _was_seen(connection: Connection, now: datetime, known: KnownMarks) -> None:
    connection.execute(update(media_marks).where(_is_current(known)).values(seen_at=now))


def _is_current(known: KnownMarks) -> ColumnElement[bool]:
    return media_marks.c.current == known.marks[0]


def _put_problem(connection: Connection, now: datetime, machine: str, problem: str | None) -> None:
    if problem is None:
        connection.execute(delete(media_folder_problems).where(media_folder_problems.c.machine == machine))
    else:
        connection.execute(_PUT_PROBLEM, {"machine": machine, "problem": problem, "at": now})
