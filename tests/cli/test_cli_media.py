"""`flask wats media …` against a running service and a Meta that answers as told."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media.conftest import config_for
from tests.media.scripted_meta import UNKNOWN, FileAtMeta, ScriptedMeta, scripted_meta
from tests.support.live import write_config
from tests.support.serving import ROOT, Running, environment, run, serving

ID = "1003383421387256"


@pytest.fixture(scope="module")
def meta() -> Iterator[ScriptedMeta]:
    with scripted_meta() as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, meta: ScriptedMeta) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("media")
    config = write_config(folder, config_for(meta.url))
    environ = environment(folder, WATS_CONFIG=str(config))
    with serving(folder, "--live", "--yes-live", "--workers", "1", "--without-worker", environ=environ) as running:
        yield running


def wats(served: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("media", *arguments, environ=served.environ, folder=ROOT)


def test_a_file_is_uploaded_as_it_is(served: Running, meta: ScriptedMeta, tmp_path: Path) -> None:
    file = tmp_path / 'an "offer".pdf'
    file.write_bytes(b"%PDF" * 50_000)

    uploaded = wats(served, "upload", str(file), "--from", "9876543211", "--json")
    refused = wats(served, "upload", str(file), "--type", "audio/webm")
    missing = wats(served, "upload", str(tmp_path))

    assert json.loads(uploaded.stdout)["size"] == 200_000
    assert meta.asked[0].path.endswith("/9876543211/media")
    assert (refused.returncode, "audio/webm, which Meta does not take" in refused.stderr) == (1, True)
    assert (missing.returncode, "is not a readable file" in missing.stderr) == (1, True)


def test_a_file_is_shown_downloaded_and_deleted(served: Running, meta: ScriptedMeta, tmp_path: Path) -> None:
    meta.files[ID] = FileAtMeta(b"a picture", "image/png")
    target = tmp_path / "picture"

    shown = wats(served, "show", ID)
    first = wats(served, "download", ID, "--out", str(target))
    again = wats(served, "download", ID, "--out", str(target))
    out = wats(served, "download", ID, "--out", "-")
    nowhere = wats(served, "download", ID, "--out", str(tmp_path / "none" / "x"))
    deleted = wats(served, "delete", ID)

    assert "image/png" in shown.stdout
    assert (target.read_text(), out.stdout) == ("a picture", "a picture")
    assert f"wrote {target} (9 bytes)" in first.stderr
    assert (again.returncode, "exists already" in again.stderr) == (1, True)
    assert (nowhere.returncode, "cannot be written" in nowhere.stderr) == (1, True)
    assert (deleted.returncode, meta.files, [*tmp_path.iterdir()]) == (0, {}, [target])


def test_a_download_that_is_cut_off_leaves_no_file(served: Running, meta: ScriptedMeta, tmp_path: Path) -> None:
    meta.files[ID] = FileAtMeta(bytes(300_000), serves=bytes(range(250)) * 1200)

    cut = wats(served, "download", ID, "--out", str(tmp_path / "picture"))

    assert (cut.returncode, "cut off before its end" in cut.stderr) == (1, True)
    assert [*tmp_path.iterdir()] == []


def test_what_is_not_there_is_said(served: Running, meta: ScriptedMeta) -> None:
    meta.will_answer(400, UNKNOWN)

    shown, listed, fetched = wats(served, "show", "77"), wats(served, "list"), wats(served, "fetch", "77")

    assert (shown.returncode, "Meta has no such file" in shown.stderr) == (1, True)
    assert "no files" in listed.stderr
    assert (fetched.returncode, "not among those" in fetched.stderr) == (1, True)
