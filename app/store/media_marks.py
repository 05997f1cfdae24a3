"""The mark of the folder of media: it shows that all machines use one folder, and no other database uses it."""

import secrets
from datetime import datetime, timedelta
from socket import gethostname

from sqlalchemy import Connection, bindparam, delete, select, text, update

from app.domain.media_mark import PROBLEMS, FolderMark, FolderUse, KnownMarks, is_to_be_renewed, use_of
from app.store.media_folder import FolderUnusable, MediaFolder
from app.store.repository import Repository
from app.store.tables.media_schema import media_folder_problems, media_marks
from app.store.tables.types import EPOCH, UtcDateTime

MAX_NAME = 200
TOLD_FOR = timedelta(hours=2)
"""How long a machine's problem stands that is not told again: a machine looks each time that it uses the folder."""

_ADD = text(
    "INSERT INTO media_marks (id, current, previous, seen_at) VALUES (1, :current, :previous, :seen_at)"
    " ON CONFLICT (id) DO NOTHING"
).bindparams(bindparam("seen_at", type_=UtcDateTime))
_TELL = text(
    "INSERT INTO media_folder_problems (machine, problem, at) VALUES (:machine, :problem, :at)"
    " ON CONFLICT (machine) DO UPDATE SET problem = excluded.problem, at = excluded.at"
).bindparams(bindparam("at", type_=UtcDateTime))


class MediaMarks(Repository):
    """The marks that the database knows, and the machines on which the folder is another one."""

    def look(self, folder: MediaFolder, *, renews: bool = False) -> None:
        """Look whether this machine's folder is the right one, or a new one, and record what is wrong with it.

        Nothing is written or deleted in a wrong folder from then on. One process at a time `renews` the mark.
        """
        try:
            problem = self._problem(folder, renews=renews)
        except FolderUnusable as unusable:
            problem = str(unusable)
        if problem is not None or folder.problem is not None:
            machine = gethostname()[:MAX_NAME]
            self._store.write(lambda c: _tell(c, self._store.now(c), machine, problem), durable=False)
        folder.problem = problem

    def problems(self) -> list[tuple[str, str]]:
        """Return the machines with a wrong folder, each with what is wrong."""
        columns = media_folder_problems.c

        def read(connection: Connection) -> list[tuple[str, str]]:
            since = self._store.now(connection) - TOLD_FOR
            query = select(columns.machine, columns.problem).where(columns.at > since).order_by(columns.machine)
            return [tuple(row) for row in connection.execute(query)]

        return self._store.database.read(read)

    def _problem(self, folder: MediaFolder, *, renews: bool) -> str | None:
        found, (known, now) = folder.mark(), self._store.database.read(lambda c: (_known(c), self._store.now(c)))
        use = use_of(found, known, now)
        is_old = known is None or use is FolderUse.FREE or is_to_be_renewed(known, now)
        if renews and use not in PROBLEMS and is_old:
            self._renew(folder, found if use is FolderUse.OURS else None, known)
        return PROBLEMS.get(use)

    def _renew(self, folder: MediaFolder, found: FolderMark | None, known: KnownMarks | None) -> None:
        """Make a new mark. The database has it first: if it never comes to the folder, that has the former one."""
        mark = secrets.token_hex(16)
        if self._store.write(lambda c: _replace(c, self._store.now(c), mark, found, known)):
            folder.put_mark(mark)


def _known(connection: Connection) -> KnownMarks | None:
    row = connection.execute(select(media_marks)).one_or_none()
    return None if row is None else KnownMarks(row.current, row.previous, row.seen_at)


def _replace(
    connection: Connection, now: datetime, mark: str, found: FolderMark | None, known: KnownMarks | None
) -> bool:
    """Store the mark unless another process has replaced the known one meanwhile; return whether it is stored.

    Until it was found in the folder, a folder without it is none that is wrong.
    """
    row = {"current": mark, "previous": None, "seen_at": EPOCH}
    if found is not None:
        row |= {"previous": found.text, "seen_at": now}
    if known is None:
        return connection.execute(_ADD, row).rowcount > 0
    is_same = media_marks.c.current == known.current
    return connection.execute(update(media_marks).where(is_same).values(row)).rowcount > 0


def _tell(connection: Connection, now: datetime, machine: str, problem: str | None) -> None:
    if problem is None:
        connection.execute(delete(media_folder_problems).where(media_folder_problems.c.machine == machine))
    else:
        connection.execute(_TELL, {"machine": machine, "problem": problem, "at": now})
