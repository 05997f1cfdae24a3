"""The folder of a run: entered, shared, removed by the last process, and never what is not a run's."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from app.startup import counter_folder


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "counters"
    counter_folder.leave()


@pytest.fixture
def named(settings: Settings, base: Path) -> Settings:
    return replace(settings, metrics_dir=base)


def test_a_folder_that_is_named_is_made_and_the_run_gets_one_of_its_own_inside(named: Settings, base: Path) -> None:
    folder = counter_folder.enter(named)

    assert folder is counter_folder.entered()
    assert folder is not None
    assert folder.path.parent == base
    assert folder.counted_together() == [folder.path]


def test_leaving_removes_the_runs_folder_and_nothing_else(named: Settings, base: Path) -> None:
    counter_folder.enter(named)
    (base / "theirs.db").touch()

    counter_folder.leave()

    assert [path.name for path in base.iterdir()] == ["theirs.db"]
    assert counter_folder.entered() is None


def test_a_folder_that_another_process_holds_is_neither_swept_nor_removed(named: Settings) -> None:
    folder = counter_folder.enter(named)
    assert folder is not None

    with held(folder.path):
        counter_folder.leave()
        other = counter_folder.enter(named)

        assert folder.path.is_dir()
        assert other is not None
        assert other.counted_together() == sorted([folder.path, other.path])


def test_the_folder_of_a_dead_run_is_swept_and_what_only_looks_like_one_is_not(named: Settings, base: Path) -> None:
    for name in ("dead", "full", "older", "living"):
        (base / f"wats-metrics-{name}").mkdir(parents=True)
    (base / "wats-metrics-dead" / "counter_slot-0.db").touch()
    (base / "wats-metrics-full" / "notes.txt").touch()
    (base / "wats-metrics-older" / "counter_999999999.db").touch()
    (base / "wats-metrics-living" / f"counter_{os.getpid()}.db").touch()
    (base / "wats-metrics-file").touch()
    (base / "wats-metrics-link").symlink_to(base / "wats-metrics-living")

    folder = counter_folder.enter(named)

    assert folder is not None
    left = {path.name.removeprefix("wats-metrics-") for path in base.iterdir() if path != folder.path}
    assert left == {"full", "living", "file", "link"}


def test_without_a_folder_a_process_goes_on_and_says_why(
    named: Settings, base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base.write_text("a file")

    assert counter_folder.enter(named) is None

    [record] = caplog.records
    assert record.message == "metrics.not_shared"
    assert f"{base}: File exists" in record.reason  # type: ignore[attr-defined]


def test_a_handed_down_folder_that_is_gone_is_not_made_again(named: Settings, base: Path) -> None:
    assert counter_folder.enter(replace(named, counter_folder=base / "wats-metrics-gone")) is None
    assert not base.exists()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a lock as another process does: it belongs to the open file, not to the process."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)
