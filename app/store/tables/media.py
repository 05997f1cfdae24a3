"""Files of media as rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from app.domain.media_file import FileState, MediaFile
from app.store.tables.media_schema import media_files
from app.store.tables.types import chunks

FILES = select(media_files).where(media_files.c.state != FileState.DELETED.value)
"""Those that are not deleted."""


def file_of(row: Row[*tuple[Any, ...]]) -> MediaFile:
    """Return the file that a row holds."""
    names = [column.name for column in media_files.columns][1:]
    return MediaFile(row.id, **{**{name: getattr(row, name) for name in names}, "state": FileState(row.state)})


def find_file(connection: Connection, media_id: str) -> MediaFile | None:
    """Return the file of this id."""
    row = connection.execute(FILES.where(media_files.c.media_id == media_id)).one_or_none()
    return None if row is None else file_of(row)


def files_of_rows(connection: Connection, row_ids: Sequence[int]) -> dict[int, MediaFile]:
    """Return the files of these rows, by row."""
    found = (
        row
        for ids in chunks(sorted(row_ids))
        for row in connection.execute(FILES.where(media_files.c.id.in_(ids)).order_by(media_files.c.id))
    )
    return {row.id: file_of(row) for row in found}


def known_ids(connection: Connection, media_ids: Iterable[str]) -> set[str]:
    """Return those of these ids that have a row, also one whose file is to be deleted."""
    return {
        media_id
        for ids in chunks(sorted(set(media_ids)))
        for media_id in connection.execute(
            select(media_files.c.media_id).where(media_files.c.media_id.in_(ids))
        ).scalars()
    }


def page_of_files(state: FileState | None, before: int, limit: int) -> Select[Any]:
    """Return the query of the next files, newest first."""
    query = FILES.where(media_files.c.id < before).order_by(media_files.c.id.desc()).limit(limit)
    return query if state is None else query.where(media_files.c.state == state.value)


def lock_files(connection: Connection, row_ids: Sequence[int]) -> dict[int, MediaFile]:
    """Lock these rows until the transaction ends, in the order of their ids; return those that are not deleted."""
    found = (
        row
        for ids in chunks(sorted(row_ids))
        for row in connection.execute(
            select(media_files).where(media_files.c.id.in_(ids)).order_by(media_files.c.id).with_for_update()
        )
    )
    return {row.id: file_of(row) for row in found if row.state != FileState.DELETED}
