"""The folder of media: a file is there as a whole or not at all, and what nobody knows is swept."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.media_folder import PART, FolderUnusable, MediaFolder, Written

DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "a" / "media", 0)


def names(folder: MediaFolder) -> list[str]:
    return sorted(path.name for path in folder.path.rglob("*") if path.is_file())


def test_a_file_is_written_with_its_digest_and_read_again(folder: MediaFolder) -> None:
    written = folder.write("123", [b"a", b"bc"])

    assert written == Written(3, DIGEST)
    assert b"".join(folder.read("123") or ()) == b"abc"
    assert names(folder) == ["123"]


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
        MediaFolder(tmp_path, 2**60).write("123", [b"a"])


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("")

    with pytest.raises(FolderUnusable, match=r"media\.directory cannot be used"):
        MediaFolder(tmp_path / "media", 0).write("123", [b"a"])


def test_only_old_files_that_nobody_knows_are_swept(folder: MediaFolder) -> None:
    for media_id in ("1", "2", "3"):
        folder.write(media_id, [b"a"])
    (folder.path / f"{PART}1").write_bytes(b"left behind")
    (folder.path / f"{PART}2").write_bytes(b"being written")
    (folder.path / "1" / "not.ours").write_bytes(b"")
    for path in (folder.path / "1" / "1", folder.path / "2" / "2", folder.path / f"{PART}1"):
        os.utime(path, (0, 0))

    swept = folder.sweep(lambda media_ids: {"1"} & set(media_ids))

    assert swept == 2
    assert names(folder) == [f"{PART}2", "1", "3", "not.ours"]


def test_a_folder_that_is_not_there_is_swept_already(folder: MediaFolder) -> None:
    assert folder.sweep(lambda _: set()) == 0
