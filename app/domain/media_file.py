"""A file that is fetched from Meta when its event arrives: its state, and when fetching it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.job import Dead, Outcome, Retry
from app.domain.job_result import JobResult
from app.domain.meta.media import ID_LIFE
from app.domain.retry import pause_after
from app.domain.stored_word import StoredWord

MEDIA_QUEUE = "media"
"""The files that are to be fetched."""

FETCH_SLOTS = 4
"""Files that are fetched at a time, over all workers."""

NO_ROOM = timedelta(minutes=5)
"""How long a file waits that the folder cannot take, or whose state only newer code knows."""

MAX_UNKNOWN = 6
"""After this many attempts, within about 43 minutes, a file that Meta does not know is given up."""


class FileState(StoredWord):
    """The state of a file. `deleted`: its event is gone; the file goes too."""

    WAITING = "waiting"
    STORED = "stored"
    DEAD = "dead"
    DELETED = "deleted"


@dataclass(frozen=True)
class MediaFile:
    """A file by its id at Meta. `event`: the sequence of the event that named it. `url`: Meta's own, for minutes.

    `size` and `sha256` are those of the stored file, and before that what Meta has announced.
    """

    row_id: int
    media_id: str
    phone_number_id: str | None
    event: int
    state: FileState
    mime_type: str
    filename: str | None
    sha256: str | None
    size: int | None
    url: str | None
    attempts: int
    last_error: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Fetched:
    """A file that is in the folder now."""

    mime_type: str
    sha256: str
    size: int


@dataclass(frozen=True)
class FetchResult(JobResult):
    """The result of a job that fetches a file. `error`: why it is not there, for the operator."""

    fetched: Fetched | None = None
    error: str | None = None


def after_failure(
    file: MediaFile, attempts: int, reason: str, now: datetime, jitter: float, *, is_unknown: bool = False
) -> Outcome:
    """Return the outcome of a failed attempt that had `attempts` before it.

    It is tried again as long as Meta may still have the file; `is_unknown`: Meta says that it has no such file.
    """
    if is_unknown and attempts + 1 >= MAX_UNKNOWN:
        return Dead(reason)
    pause = pause_after(attempts, jitter)
    if now + pause > file.created_at + ID_LIFE:
        return Dead(f"{reason}; Meta keeps received media for 7 days")
    return Retry(pause)
