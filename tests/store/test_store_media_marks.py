"""All machines use one folder of media, and no copy of the database does; or it is told, and nothing is lost."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from app.domain.media_mark import PROBLEMS, FolderUse
from app.store import Store
from app.store.media_folder import MARK, FolderUnusable, MediaFolder
from app.store.tables.media_schema import media_files, media_marks
from tests.support.store import NOON
from tests.support.work import Clock

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ABSENT, FOREIGN = PROBLEMS[FolderUse.ABSENT], PROBLEMS[FolderUse.FOREIGN]


class Full(MediaFolder):
    """A folder on a disk without room."""

    def put_mark(self, text: str) -> None:
        raise FolderUnusable(f"no room for {text}")


def folder_at(path: Path, store: Store, kind: type[MediaFolder] = MediaFolder) -> MediaFolder:
    return kind(path, 0, lambda: store.identity().id)


@pytest.fixture
def folder(tmp_path: Path, timed: Store) -> MediaFolder:
    """The folder of the database, with its mark and a file."""
    folder = folder_at(tmp_path / "shared", timed)
    for _ in range(2):  # the second look finds what the first one has written
        timed.media_marks.look(folder, renews=True)
    folder.write("17", [b"a picture"])
    return folder


@pytest.fixture
def unmounted(tmp_path: Path, timed: Store) -> MediaFolder:
    """The folder that a machine finds where the disk is not mounted."""
    return folder_at(tmp_path / "below the mount point", timed)


def add_stored_file(store: Store, media_id: str, **changes: object) -> None:
    """Add the row of a file that is fetched."""
    row = {"media_id": media_id, "event": 1, "state": "stored", "mime_type": "image/png", "attempts": 1, **changes}
    store.write(lambda c: c.execute(insert(media_files).values(created_at=NOON, updated_at=NOON, **row)))


def renew(store: Store, folder: MediaFolder, clock: Clock) -> None:
    clock.advance(6 * MINUTE)
    store.media_marks.look(folder, renews=True)


def test_every_machine_with_the_folder_may_use_it(
    timed: Store, folder: MediaFolder, tmp_path: Path, clock: Clock
) -> None:
    other = folder_at(tmp_path / "shared", timed)
    for _ in range(3):
        renew(timed, folder, clock)
        timed.media_marks.look(other)

    other.delete(["17"])

    assert (other.problem, timed.media_marks.problems(), folder.has("17")) == (None, [], False)


def test_a_machine_with_another_folder_writes_and_deletes_nothing_and_is_reported(
    timed: Store, folder: MediaFolder, tmp_path: Path
) -> None:
    other = folder_at(tmp_path / "of this machine", timed)

    timed.media_marks.look(other)

    with pytest.raises(FolderUnusable, match="not the folder"):
        other.write("18", [b"a picture"])
    with pytest.raises(FolderUnusable, match="not the folder"):
        other.delete(["17"])
    with pytest.raises(FolderUnusable, match="not the folder"):
        other.sweep(lambda _: [])
    assert [problem for _, problem in timed.media_marks.problems()] == [ABSENT]


def test_a_copy_of_the_database_deletes_no_file_of_the_folder_that_it_shares(
    timed: Store, folder: MediaFolder, tmp_path: Path, clock: Clock
) -> None:
    copied = timed.database.read(lambda c: dict(c.execute(select(media_marks)).one()._mapping))
    for _ in range(2):
        renew(timed, folder, clock)
    timed.write(lambda c: c.execute(update(media_marks).values(copied)))  # as the copy knows it
    of_copy = folder_at(tmp_path / "shared", timed)

    renew(timed, of_copy, clock)

    with pytest.raises(FolderUnusable, match="another copy"):
        of_copy.delete(["17"])
    assert (of_copy.problem, folder.has("17")) == (FOREIGN, True)


def test_the_database_is_reported_when_its_copy_was_the_first_to_renew_the_mark(
    timed: Store, folder: MediaFolder, clock: Clock
) -> None:
    folder.put_mark("of the copy")

    renew(timed, folder, clock)

    assert [problem for _, problem in timed.media_marks.problems()] == [FOREIGN]


def test_a_mark_that_is_on_its_way_into_a_new_folder_holds_nothing_up(timed: Store, tmp_path: Path) -> None:
    timed.media_marks.look(folder_at(tmp_path / "new", timed, Full), renews=True)
    folder = folder_at(tmp_path / "new", timed)

    timed.media_marks.look(folder)
    before = folder.problem
    for _ in range(2):
        timed.media_marks.look(folder, renews=True)

    assert (before, folder.problem, (folder.path / MARK).exists()) == (None, None, True)


def test_a_problem_is_over_once_the_right_folder_is_there(timed: Store, folder: MediaFolder, clock: Clock) -> None:
    mark = folder.path / MARK
    kept = mark.read_text()
    mark.unlink()
    timed.media_marks.look(folder)
    before = timed.media_marks.problems()
    mark.write_text(kept)

    timed.media_marks.look(folder)
    folder.delete(["17"])

    assert (len(before), timed.media_marks.problems()) == (1, [])


def test_a_folder_that_any_process_sees_is_not_replaced(
    timed: Store, folder: MediaFolder, unmounted: MediaFolder, clock: Clock
) -> None:
    for _ in range(5):
        renew(timed, unmounted, clock)
        timed.media_marks.look(folder)

    assert (unmounted.problem, folder.problem, unmounted.path.exists()) == (ABSENT, None, False)


def test_a_folder_takes_its_place_again_when_it_comes_back(
    timed: Store, folder: MediaFolder, unmounted: MediaFolder, clock: Clock
) -> None:
    clock.advance(21 * MINUTE)
    for _ in range(5):
        renew(timed, unmounted, clock)
    before = unmounted.problem

    for one in (folder, unmounted):
        timed.media_marks.look(one)

    assert (before, folder.problem, unmounted.problem) == (None, None, FOREIGN)


def test_a_folder_without_the_fetched_files_is_taken_only_if_an_operator_wishes_it(
    timed: Store, folder: MediaFolder, unmounted: MediaFolder, clock: Clock
) -> None:
    add_stored_file(timed, "17")
    clock.advance(21 * MINUTE)
    timed.media_marks.look(unmounted, renews=True)
    with pytest.raises(FolderUnusable, match="has none of the files") as told:
        unmounted.delete(["17"])
    wish = unmounted.path.parent / str(told.value).split()[-2]
    wish.parent.mkdir(parents=True)
    wish.touch()

    timed.media_marks.look(unmounted, renews=True)
    for one in (unmounted, folder):
        timed.media_marks.look(one)

    assert (unmounted.problem, folder.problem) == (None, FOREIGN)


def test_files_that_are_to_be_deleted_are_not_forgotten_where_their_disk_is_missing(
    timed: Store, folder: MediaFolder, unmounted: MediaFolder, clock: Clock
) -> None:
    add_stored_file(timed, "17", state="deleted")
    clock.advance(21 * MINUTE)
    timed.media_marks.look(unmounted, renews=True)
    with pytest.raises(FolderUnusable, match="has none of the files"):
        timed.media.remove_deleted(unmounted)
    timed.media_marks.look(folder)

    removed = timed.media.remove_deleted(folder)

    assert (removed, folder.has("17")) == (1, False)


@pytest.mark.parametrize("never_fetched", [{"attempts": 0}, {"last_error": "HTTP 404"}])
def test_deleted_files_that_were_never_fetched_hold_up_no_new_folder(
    timed: Store, folder: MediaFolder, unmounted: MediaFolder, clock: Clock, never_fetched: dict[str, object]
) -> None:
    add_stored_file(timed, "18", state="deleted", **never_fetched)
    clock.advance(21 * MINUTE)

    timed.media_marks.look(unmounted, renews=True)

    assert (unmounted.problem, timed.media.remove_deleted(unmounted)) == (None, 1)


def test_a_folder_with_the_fetched_files_takes_the_place_of_one_that_is_not_seen_any_more(
    timed: Store, folder: MediaFolder, tmp_path: Path, clock: Clock
) -> None:
    add_stored_file(timed, "17")
    moved = folder_at(tmp_path / "moved", timed)
    moved.write("17", [b"a picture"])
    clock.advance(21 * MINUTE)

    timed.media_marks.look(moved, renews=True)

    assert (moved.problem, (moved.path / MARK).exists()) == (None, True)


def test_a_mark_that_reaches_the_folder_late_leaves_it_to_the_database(
    timed: Store, folder: MediaFolder, tmp_path: Path, clock: Clock
) -> None:
    slow = folder_at(tmp_path / "shared", timed, Full)
    renew(timed, slow, clock)
    late = timed.database.read(lambda c: c.execute(select(media_marks.c.current)).scalar_one())
    for _ in range(2):
        renew(timed, folder, clock)
    folder.put_mark(late)

    renew(timed, folder, clock)

    assert (folder.problem, (folder.path / MARK).read_text() == late) == (None, False)


def test_a_disk_that_is_not_well_is_no_folder_without_a_mark(timed: Store, folder: MediaFolder, clock: Clock) -> None:
    (folder.path / MARK).unlink()
    (folder.path / MARK).mkdir()  # an error of reading, as a stale handle of NFS or a broken disk is one
    clock.advance(21 * MINUTE)

    timed.media_marks.look(folder)

    assert str(folder.problem).startswith("media.directory cannot be used (Is a directory)")


def test_a_mark_that_nobody_renews_any_more_holds_up_no_other_database(
    timed: Store, folder: MediaFolder, clock: Clock
) -> None:
    folder.put_mark("of a database that is gone")
    os.utime(folder.path / MARK, (0, 0))
    clock.advance(DAY)

    timed.media_marks.look(folder, renews=True)

    assert folder.problem is None


def test_a_mark_that_did_not_reach_the_folder_leaves_it_to_the_database(
    timed: Store, folder: MediaFolder, tmp_path: Path, clock: Clock
) -> None:
    full = folder_at(tmp_path / "shared", timed, Full)
    for _ in range(2):
        renew(timed, full, clock)
    told = full.problem

    renew(timed, folder, clock)

    assert (str(told)[:11], folder.problem) == ("no room for", None)
