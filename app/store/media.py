"""Media: the files that are fetched from Meta when their events arrive."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from app.domain.job import Job
from app.domain.media_file import FileState, MediaFile
from app.store.deletion import delete_in
from app.store.media_folder import MediaFolder
from app.store.repository import Repository
from app.store.tables.media import file_of, files_of_rows, find_file, known_ids, page_of_files
from app.store.tables.media_schema import media_files
from app.store.transactions.follow_media import delete_file, fetch_again, forget_files

AT_ONCE = 100


class MediaFiles(Repository):
    """The files that are fetched. Their bytes are in a folder; see `app.store.media_folder`."""

    def find(self, media_id: str) -> MediaFile | None:
        """Return the file of this id; None if none was to be fetched, or it is deleted."""
        return self._store.database.read(lambda c: find_file(c, media_id))

    def load(self, jobs: Sequence[Job]) -> dict[int, MediaFile]:
        """Return the files that these jobs are to fetch, by the job's id; one that is deleted has none."""
        files = self._store.database.read(lambda c: files_of_rows(c, [job.subject for job in jobs]))
        return {job.id: files[job.subject] for job in jobs if job.subject in files}

    def page(self, *, state: FileState | None, before: int, limit: int) -> list[MediaFile]:
        """Return the next files, newest first."""
        query = page_of_files(state, before, limit)
        return self._store.database.read(lambda c: [file_of(row) for row in c.execute(query)])

    def dead(self) -> int:
        """Return how many files were given up."""
        query = select(func.count()).select_from(media_files).where(media_files.c.state == FileState.DEAD.value)
        return self._store.database.read(lambda c: c.execute(query).scalar_one())

    def fetch_again(self, file: MediaFile) -> None:
        """Fetch a file once more, at once."""
        self._store.write(lambda c: fetch_again(c, self._store.now(c), file.row_id), "work")

    def delete(self, file: MediaFile) -> None:
        """Mark a file as deleted; nothing fetches it any more."""
        self._store.write(lambda c: delete_file(c, self._store.now(c), file.row_id))

    def deleted(self) -> list[tuple[int, str]]:
        """Return the next rows of files that are to be removed from the folder, each with its id at Meta."""
        query = select(media_files.c.id, media_files.c.media_id).order_by(media_files.c.id).limit(AT_ONCE)
        is_deleted = media_files.c.state == FileState.DELETED.value
        return self._store.database.read(lambda c: [tuple(row) for row in c.execute(query.where(is_deleted))])

    def remove_deleted(self, folder: MediaFolder) -> int:
        """Remove deleted files from the folder, and then their rows, some at a time; return how many.

        Raises `FolderUnusable`: the rows stay, and with them what is to be removed.
        """
        removed = 0
        while rows := self.deleted():
            folder.delete(media_id for _, media_id in rows)
            removed += self.forget([row_id for row_id, _ in rows])
        return removed

    def forget(self, row_ids: Sequence[int]) -> int:
        """Delete the rows of files that are gone from the folder; return how many."""
        return delete_in(self._store, lambda c: forget_files(c, row_ids)) if row_ids else 0

    def known(self, media_ids: Collection[str]) -> set[str]:
        """Return those of these ids that have a row."""
        return self._store.database.read(lambda c: known_ids(c, media_ids))
