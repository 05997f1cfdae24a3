"""The folder of media: a file is there as a whole or not at all, and what no row knows is swept."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from app.assembly import MEGABYTE, build_gateway
from app.config import Settings
from app.store.disk_files import PART
from app.store.media_folder import THREADS, FolderUnusable, MediaFolder, Written

DATABASE = "0123456789abcdef"
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "a" / "media", 0, lambda: DATABASE)


def names(folder: MediaFolder) -> list[str]:
    return sorted(path.name for path in folder.path.rglob("*") if path.is_file())


def test_a_file_is_written_with_its_digest_and_read_again(folder: MediaFolder) -> None:
    written = folder.write("123", [b"a", b"bc"])

    assert written == Written(3, DIGEST)
    assert b"".join(folder.read("123") or ()) == b"abc"
    assert names(folder) == ["123"]


def test_many_pieces_pass_through_few_threads(folder: MediaFolder) -> None:
    threads = Path("/proc/self/task")
    before = len(list(threads.iterdir()))

    folder.write("123", [b"a"] * 10 * THREADS)

    assert len(list(threads.iterdir())) <= before + THREADS


def test_only_the_user_of_the_service_can_read_files(folder: MediaFolder) -> None:
    def pieces() -> Iterator[bytes]:
        modes.update(path.stat().st_mode & 0o777 for path in folder.path.glob(f"{PART}*"))
        yield b"a"

    modes: set[int] = set()
    folder.write("123", pieces())

    made = (folder.path, folder.path / "23", folder.path / "23" / "123")
    assert [modes, *(path.stat().st_mode & 0o777 for path in made)] == [{0o600}, 0o700, 0o700, 0o600]


def test_a_file_that_breaks_off_leaves_nothing(folder: MediaFolder) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"a"
        raise LookupError

    with pytest.raises(LookupError):
        folder.write("123", breaking())

    assert names(folder) == []
    assert folder.read("123") is None
    assert not folder.has("123")


def test_what_is_not_there_is_deleted_already(folder: MediaFolder) -> None:
    folder.write("123", [b"a"])

    folder.delete(["999", "123"])

    assert names(folder) == []


def test_a_disk_that_is_nearly_full_takes_no_file(tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="nearly full: free some"):
        MediaFolder(tmp_path, 2**60, lambda: DATABASE).write("123", [b"a"])


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("")

    with pytest.raises(FolderUnusable, match=r"media\.directory cannot be used"):
        MediaFolder(tmp_path / "media", 0, lambda: DATABASE).write("123", [b"a"])


def test_only_old_files_that_nobody_knows_are_swept(folder: MediaFolder) -> None:
    left_behind, being_written = f"{PART}{1:016x}", f"{PART}{2:016x}"
    for media_id in ("1", "2", "3"):
        folder.write(media_id, [b"a"])
    for name in (left_behind, being_written):
        (folder.path / name).write_bytes(b"a part")
    for path in (folder.path / "1" / "1", folder.path / "2" / "2", folder.path / left_behind):
        os.utime(path, (0, 0))

    swept = folder.sweep(lambda media_ids: {"1"} & set(media_ids))

    assert swept == 2
    assert names(folder) == [being_written, "1", "3"]


def test_what_is_not_ours_is_never_swept(tmp_path: Path) -> None:
    other, folder = MediaFolder(tmp_path, 0, lambda: "another"), MediaFolder(tmp_path, 0, lambda: DATABASE)
    other.write("17", [b"another database's"])
    folder.write("18", [b"ours"])
    (tmp_path / ".ssh").mkdir()
    (folder.path / "elsewhere").symlink_to(tmp_path / ".ssh", target_is_directory=True)
    foreign = [
        other.path / "17" / "17",
        *(tmp_path / name for name in (".ssh/id_rsa", "17", f"{PART}{1:016x}", ".ssh/sa")),
        *(folder.path / name for name in ("19", f"{PART}mine", "18/19", f"18/{PART}{1:016x}", "18/not.ours")),
    ]
    for path in foreign:
        path.write_bytes(b"not ours")
        os.utime(path, (0, 0))

    swept = folder.sweep(lambda _: set())

    assert (swept, [path for path in foreign if not path.exists()]) == (0, [])


def test_a_folder_that_is_not_there_is_swept_already(folder: MediaFolder) -> None:
    assert folder.sweep(lambda _: set()) == 0


def test_files_of_strangers_leave_more_room_than_webhooks_need(settings: Settings, tmp_path: Path) -> None:
    free_megabytes = shutil.disk_usage(tmp_path).free // MEGABYTE
    storage = replace(settings.storage, min_free_megabytes=free_megabytes - 512)
    gateway = build_gateway(replace(settings, storage=storage))
    gateway.store.upgrade_schema()
    with closing(gateway.store):
        gateway.store.open()

        with pytest.raises(FolderUnusable, match="nearly full"):
            gateway.media_folder.write("123", [b"a"])


def test_a_mark_that_a_slow_disk_takes_too_late_is_not_written(folder: MediaFolder) -> None:
    folder.put_mark("the former one")
    pipe = folder.path / "17" / "17"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    hanging = [gevent.spawn(folder.read, "17") for _ in range(THREADS)]
    gevent.idle()

    with pytest.raises(FolderUnusable, match="does not answer"):
        folder.put_mark("a late one")
    answering = os.open(pipe, os.O_RDWR)
    gevent.joinall(hanging, raise_error=True)
    after = folder.mark()
    os.close(answering)
    files = [list(one.value) for one in hanging]

    assert (after and after.text, files) == ("the former one", [[]] * THREADS)
