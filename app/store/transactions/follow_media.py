"""Media that arrive with events: which are to be fetched, what became of each, and which go with their event."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from app.domain.job import Dead, Retry
from app.domain.job_result import JobResult
from app.domain.media_file import MEDIA_QUEUE, FetchResult, FileState
from app.domain.meta.media import Media
from app.store.engine.bulk_insert import BulkInsert, allocate_ids
from app.store.engine.one_of import one_of
from app.store.tables.jobs import find_jobs, lock_jobs
from app.store.tables.media import known_ids, lock_files
from app.store.tables.media_schema import media_files
from app.store.tables.queues import ensure_locked, lock_queues
from app.store.tables.types import chunks, printable_excerpt
from app.store.transactions.enqueue import NewJob, delete_jobs, enqueue

_INSERT = BulkInsert(
    media_files,
    "id",
    "media_id",
    "phone_number_id",
    "event",
    "state",
    "mime_type",
    "filename",
    "sha256",
    "size",
    "url",
    "attempts",
    "created_at",
    "updated_at",
)
_UPDATE = (
    update(media_files)
    .where(media_files.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in ("state", "mime_type", "sha256", "size", "attempts")})
    .values(last_error=bindparam("new_error"), url=None, updated_at=bindparam("now"))
)
_MARK = update(media_files).where(one_of(media_files.c.id, "ids")).values(state=FileState.DELETED.value)


def add_media(connection: Connection, now: datetime, found: Sequence[tuple[int, str | None, Media]]) -> None:
    """Add the files that are not known yet, each with a job that fetches it.

    `found`: each with the sequence of its event and the number that it came to. The caller has added the events, as
    the owner of the split job: no other transaction adds files.
    """
    known = known_ids(connection, (media.id for _, _, media in found)) if found else set()
    new = {
        media.id: (sequence, number, media) for sequence, number, media in reversed(found) if media.id not in known
    }
    if not new:
        return
    ids, waiting = allocate_ids(connection, media_files, len(new)), FileState.WAITING.value
    rows = []
    for row_id, (sequence, number, media) in zip(ids, new.values(), strict=True):
        described = media.mime_type, media.filename, media.sha256, media.size, media.url
        rows.append((row_id, media.id, number, sequence, waiting, *described, 0, now, now))
    _INSERT.execute(connection, rows)
    enqueue(connection, now, [NewJob(MEDIA_QUEUE, row_id, None) for row_id in ids])


def record_fetches(connection: Connection, now: datetime, results: Sequence[JobResult]) -> None:
    """Record what became of files, in the transaction that settles their jobs. What newer code has written stays."""
    by_row = {result.job.subject: result for result in results}
    rows = [
        {**_after(result), "row_id": row_id, "new_attempts": result.job.attempts + 1, "now": now}
        | ({} if _is_fetched(result) else {f"new_{n}": getattr(file, n) for n in ("mime_type", "sha256", "size")})
        for row_id, file in lock_files(connection, list(by_row)).items()
        if file.state.is_known
        for result in [by_row[row_id]]
    ]
    if rows:
        connection.execute(_UPDATE, rows)


def fetch_again(connection: Connection, now: datetime, row_id: int) -> None:
    """Fetch a file once more, unless a job for it is open already."""
    ensure_locked(connection, [MEDIA_QUEUE])
    if not find_jobs(connection, {MEDIA_QUEUE: [row_id]}):
        enqueue(connection, now, [NewJob(MEDIA_QUEUE, row_id, None)])
    if lock_files(connection, [row_id]):
        again = {"state": FileState.WAITING.value, "updated_at": now}
        connection.execute(update(media_files).where(media_files.c.id == row_id).values(again))


def delete_file(connection: Connection, now: datetime, row_id: int) -> None:
    """Mark a file as deleted, and delete its job."""
    lock_queues(connection, [MEDIA_QUEUE])
    locked = lock_jobs(connection, find_jobs(connection, {MEDIA_QUEUE: [row_id]}))
    delete_jobs(connection, now, locked)
    mark_deleted(connection, [row_id])


def files_of_events(connection: Connection, event_ids: Sequence[int]) -> list[int]:
    """Return the rows of the files that go with these events."""
    of_events = (select(media_files.c.id).where(media_files.c.event.in_(ids)) for ids in chunks(event_ids))
    return sorted(row_id for query in of_events for row_id in connection.execute(query).scalars())


def mark_deleted(connection: Connection, row_ids: Sequence[int]) -> None:
    """Mark files as deleted; their jobs are deleted already. What is marked is removed from the folder later."""
    if row_ids:
        lock_files(connection, row_ids)
        for ids in chunks(row_ids):
            connection.execute(_MARK, {"ids": ids})


def forget_files(connection: Connection, row_ids: Sequence[int]) -> int:
    """Delete the rows of deleted files, which are gone from the folder; return how many."""
    lock_files(connection, row_ids)
    is_over = media_files.c.id.in_(row_ids) & (media_files.c.state == FileState.DELETED.value)
    return connection.execute(delete(media_files).where(is_over)).rowcount


def _is_fetched(result: JobResult) -> bool:
    return isinstance(result, FetchResult) and result.fetched is not None


def _after(result: JobResult) -> dict[str, object]:
    """Return the new values of a file's row, but for what is known of the file."""
    if isinstance(result, FetchResult) and result.fetched is not None:
        fetched = {f"new_{name}": value for name, value in vars(result.fetched).items()}
        return {**fetched, "new_state": FileState.STORED.value, "new_error": None}
    reason = result.outcome.reason if isinstance(result.outcome, Dead) else None
    error = reason or (result.error if isinstance(result, FetchResult) else None) or "an internal error; see the log"
    state = FileState.WAITING if isinstance(result.outcome, Retry) else FileState.DEAD
    return {"new_state": state.value, "new_error": printable_excerpt(error)}
