"""Fetches files on arrival: a job for each received file downloads it from Meta into the folder."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from app.domain.job import Dead, Done, Job, Outcome, Retry
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.media_file import FETCH_SLOTS, MEDIA_QUEUE, NO_ROOM, Fetched, FetchResult, MediaFile, after_failure
from app.domain.meta.media import UNKNOWN_TYPE, URL_LIFE, Media
from app.graph.call import GraphApi
from app.media.calls import Download, download, look_up
from app.media.failures import MediaFailed
from app.store import Store
from app.store.media_folder import FolderUnusable, MediaFolder

log = logging.getLogger(__name__)

LEVELS: dict[type[Outcome], tuple[str, int]] = {
    Done: ("stored", logging.INFO),
    Retry: ("retry", logging.WARNING),
    Dead: ("dead", logging.ERROR),
}


class Fetcher:
    """The handler of the queue of media."""

    def __init__(
        self,
        store: Store,
        graph: GraphApi,
        folder: MediaFolder,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._graph = graph
        self._folder = folder
        self._clock = clock
        self._jitter = jitter

    def has_work(self) -> bool:
        """Return whether a file is due. It only reads: most commits bring no file, and a claim writes."""
        due = self._store.jobs.next_due_in(MEDIA_QUEUE)
        return due is not None and due <= 0

    def prepare(self, jobs: Sequence[Job]) -> list[tuple[Job, Callable[[], JobResult]]]:
        """Return the task of each claimed job."""
        if jobs:
            self._store.media_marks.look(self._folder)
        files = self._store.media.load(jobs) if jobs else {}
        return [(job, self._task(job, files.get(job.id))) for job in jobs]

    def _task(self, job: Job, file: MediaFile | None) -> Callable[[], JobResult]:
        """Return the task of a job. One whose file was deleted is done; one of newer code is left to that code."""
        if file is None:
            return partial(JobResult, job, Done())
        return partial(self.fetch, job, file) if file.state.is_known else partial(JobResult, job, Retry(NO_ROOM))

    def fetch(self, job: Job, file: MediaFile) -> FetchResult:
        """Try once to fetch a file. Afterwards the folder holds the whole file as Meta announced it, or nothing."""
        at, started = self._clock(), time.monotonic()
        try:
            fetched = self._fetched(file)
        except MediaFailed as failure:
            result = self._failed(job, file, failure)
        except FolderUnusable as unusable:
            result = FetchResult(job, Retry(NO_ROOM), signal=QueueSignal.FAILURE, error=str(unusable))
        else:
            result = FetchResult(job, Done(), signal=QueueSignal.SUCCESS, fetched=fetched)
            self._remove_if_deleted(job, file)
        duration_ms = round((time.monotonic() - started) * 1000)
        _log_attempt(job, file, result, duration_ms)
        attempt = Attempt(at, None, result.error, duration_ms) if result.signal is QueueSignal.FAILURE else None
        return replace(result, attempt=attempt, max_in_flight=FETCH_SLOTS)

    def _fetched(self, file: MediaFile) -> Fetched:
        def look() -> Media:
            found = look_up(self._graph, file.media_id, file.phone_number_id)
            return replace(found, sha256=found.sha256 or file.sha256)

        arriving = download(self._graph, self._with_url(file) or look(), again=look)
        try:
            return self._kept(arriving, file)
        finally:
            arriving.close()

    def _with_url(self, file: MediaFile) -> Media | None:
        """Return the file with the address from its webhook while that works: it saves a call to Meta."""
        if file.url is None or file.attempts or self._clock() - file.created_at > URL_LIFE:
            return None
        return Media(file.media_id, file.mime_type, file.sha256, file.size, file.url)

    def _kept(self, arriving: Download, file: MediaFile) -> Fetched:
        written = self._folder.write(file.media_id, arriving.pieces())
        announced = arriving.media.mime_type
        mime_type = file.mime_type if announced == UNKNOWN_TYPE else announced
        return Fetched(mime_type, written.sha256, written.size)

    def _remove_if_deleted(self, job: Job, file: MediaFile) -> None:
        """Delete the file again if its customer was erased while it was downloaded."""
        if job.id not in self._store.media.load([job]):
            self._folder.delete([file.media_id])

    def _failed(self, job: Job, file: MediaFile, failure: MediaFailed) -> FetchResult:
        is_unknown = failure.code == "not_found"
        outcome = after_failure(
            file, job.attempts, failure.summary, self._clock(), self._jitter(), is_unknown=is_unknown
        )
        signal = QueueSignal.NONE if is_unknown else QueueSignal.FAILURE
        return FetchResult(job, outcome, signal=signal, error=failure.summary)


def _log_attempt(job: Job, file: MediaFile, result: FetchResult, duration_ms: int) -> None:
    label, level = LEVELS[type(result.outcome)]
    fields = {
        "media_id": file.media_id,
        "attempt": job.attempts + 1,
        "outcome": label,
        "error": result.error,
        "duration_ms": duration_ms,
        "seconds": round(result.outcome.delay.total_seconds()) if isinstance(result.outcome, Retry) else None,
    }
    log.log(level, "media.fetched", extra=fields)
