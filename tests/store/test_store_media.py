"""Received files as rows: one job for each id at Meta, and a row that stays until its file is gone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.job import Dead, Done, Job, Retry
from app.domain.job_result import JobResult
from app.domain.media_file import MEDIA_QUEUE, Fetched, FetchResult, FileState, MediaFile
from app.domain.meta.media import Media
from app.domain.split import SplitEvent
from app.store import Store
from app.store.media_folder import FolderUnusable, MediaFolder
from app.store.tables.schema import jobs
from tests.support.events import new_event
from tests.support.work import LEASE, Clock, add_events, claim

FETCHED = Fetched("image/png", "ab" * 32, 3)
MONTH = timedelta(days=31)


def arrive(store: Store, *media_ids: str, name: object = "hi", wa_id: str = "4915112345678") -> None:
    """Add an event with these files."""
    media = tuple(Media(media_id, "image/jpeg", url="https://lookaside.fbsbx.com/x") for media_id in media_ids)
    add_events(store, SplitEvent(new_event(name, wa_id=wa_id), media=media))


def due(store: Store) -> list[Job]:
    return claim(store, MEDIA_QUEUE)


def settle(store: Store, result: JobResult) -> None:
    assert store.jobs.settle([result]) == [True]


def found(store: Store, media_id: str) -> MediaFile:
    file = store.media.find(media_id)
    assert file is not None
    return file


def subjects(store: Store) -> set[int]:
    query = select(jobs.c.subject).where(jobs.c.queue == MEDIA_QUEUE)
    return set(store.database.read(lambda c: c.execute(query).scalars().all()))


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "media", 0, lambda: "d1")


def test_each_file_has_one_job_however_often_it_is_named(timed: Store) -> None:
    arrive(timed, "1", "2", "1")
    arrive(timed, "2", "3", name="again")

    files = timed.media.page(state=None, before=2**62, limit=9)
    assert sorted(file.media_id for file in files) == ["1", "2", "3"]
    assert {(file.state, file.attempts) for file in files} == {(FileState.WAITING, 0)}
    assert subjects(timed) == {file.row_id for file in files}
    assert {file.event for file in files if file.media_id != "3"} == {1}


def test_a_fetched_file_is_known_by_what_has_arrived(timed: Store) -> None:
    arrive(timed, "1")
    [job] = due(timed)

    settle(timed, FetchResult(job, Done(), fetched=FETCHED))

    file = found(timed, "1")
    assert (file.state, file.mime_type, file.size, file.sha256) == (FileState.STORED, "image/png", 3, "ab" * 32)
    assert (file.attempts, file.url, file.last_error) == (1, None, None)
    assert subjects(timed) == set()


@pytest.mark.parametrize(
    ("result", "state", "error"),
    [
        (lambda job: FetchResult(job, Retry(LEASE), error="no answer"), FileState.WAITING, "no answer"),
        (lambda job: FetchResult(job, Dead("too old"), error="no answer"), FileState.DEAD, "too old"),
        (lambda job: JobResult(job, Dead("its worker died")), FileState.DEAD, "its worker died"),
        (lambda job: JobResult(job, Retry(LEASE)), FileState.WAITING, "an internal error; see the log"),
    ],
)
def test_a_failure_is_kept_with_its_reason(timed: Store, result: object, state: FileState, error: str) -> None:
    arrive(timed, "1")
    [job] = due(timed)

    settle(timed, result(job))  # type: ignore[operator]

    file = found(timed, "1")
    assert (file.state, file.attempts, file.last_error, file.mime_type) == (state, 1, error, "image/jpeg")
    assert timed.media.dead() == (state is FileState.DEAD)


def test_a_file_that_was_given_up_is_fetched_again_by_one_job(timed: Store) -> None:
    arrive(timed, "1")
    [job] = due(timed)
    settle(timed, FetchResult(job, Dead("too old")))
    file = found(timed, "1")

    timed.media.fetch_again(file)
    timed.media.fetch_again(file)

    assert found(timed, "1") == replace(file, state=FileState.WAITING)
    assert subjects(timed) == {file.row_id}


def test_what_goes_with_its_event_is_marked_until_the_file_is_gone(
    timed: Store, clock: Clock, folder: MediaFolder
) -> None:
    arrive(timed, "1", "2")
    folder.write("1", [b"a"])
    clock.advance(MONTH)

    timed.retention.prune_events(before=clock.now, after=0, destinations=[])
    marked = timed.media.deleted()

    assert timed.media.find("1") is None
    assert {media_id for _, media_id in marked} == {"1", "2"}
    assert (subjects(timed), folder.has("1")) == (set(), True)
    assert timed.media.remove_deleted(folder) == 2
    assert (timed.media.deleted(), timed.media.known(["1"]), folder.has("1")) == ([], set(), False)


def test_erasing_a_customer_leaves_the_files_of_others(timed: Store) -> None:
    arrive(timed, "1", name="a", wa_id="4915111111111")
    arrive(timed, "2", name="b", wa_id="4915122222222")

    cursor = None
    while (cursor := timed.retention.erase("4915111111111", cursor).next) is not None:
        pass

    assert [media_id for _, media_id in timed.media.deleted()] == ["1"]
    assert found(timed, "2").state is FileState.WAITING


def test_the_result_of_a_job_whose_file_was_deleted_changes_nothing(timed: Store) -> None:
    arrive(timed, "1")
    [job] = due(timed)
    timed.media.delete(found(timed, "1"))

    assert timed.jobs.settle([FetchResult(job, Done(), fetched=FETCHED)]) == [False]
    assert timed.media.find("1") is None
    assert timed.media.load([job]) == {}


def test_rows_stay_while_their_files_cannot_be_removed(timed: Store, tmp_path: Path) -> None:
    arrive(timed, "11")
    timed.media.delete(found(timed, "11"))
    blocked = MediaFolder(tmp_path, 0, lambda: "d1")
    (blocked.path / "11" / "11" / "a folder in the place of a file").mkdir(parents=True)

    with pytest.raises(FolderUnusable):
        timed.media.remove_deleted(blocked)

    assert [media_id for _, media_id in timed.media.deleted()] == ["11"]
