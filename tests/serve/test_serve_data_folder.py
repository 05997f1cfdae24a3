"""A data folder that this user may not write: live mode refuses with the cure, a dry-run keeps its file elsewhere."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import Flags, load_settings
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, write_config
from tests.support.serving import FLASK, GUNICORN, ROOT, environment, serving, without_roots_rights
from tests.support.waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.usefixtures("unmeasured")

OURS = f"{os.geteuid()}:{os.getegid()}"
LIVE = {"WATS_MODE": "live", "WATS_YES_LIVE": "1"}


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "closed"
    folder.mkdir(0o500)
    yield folder
    folder.chmod(0o700)


def refused(environ: dict[str, str], *command: str) -> str:
    """Run a command that must refuse the configuration; return its message."""
    ended = subprocess.run(
        without_roots_rights(*command),
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert ended.returncode == 78, ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    "command", [(FLASK, "wats", "serve"), (FLASK, "wats", "worker"), (FLASK, "wats", "db", "upgrade"), (GUNICORN,)]
)
def test_live_mode_refuses_it_with_path_user_owner_mode_and_cures(
    tmp_path: Path, closed: Path, command: tuple[str, ...]
) -> None:
    environ = environment(tmp_path, **LIVE, WATS_CONFIG=str(write_config(tmp_path)), WATS_DATA_DIR=str(closed))

    [message] = refused(environ, *command).splitlines()

    assert message.startswith(
        f"WATS_DATA_DIR: {closed} cannot be written by user {OURS}: it belongs to {OURS}, mode 0500"
    )
    assert f"chown -R {os.geteuid()} {closed}" in message
    assert "fsGroup" in message


def test_a_folder_that_cannot_be_created_and_a_file_of_another_user_are_named(tmp_path: Path, closed: Path) -> None:
    environ = environment(tmp_path, **LIVE, WATS_CONFIG=str(write_config(tmp_path)))
    foreign = tmp_path / "data" / "wats.sqlite3"
    foreign.parent.mkdir()
    foreign.touch(0o200)

    missing = refused({**environ, "WATS_DATA_DIR": str(closed / "deeper" / "data")}, FLASK, "wats", "db", "upgrade")
    unreadable = refused(environ, FLASK, "wats", "db", "upgrade")
    below_a_file = refused(
        {**environ, "WATS_DATA_DIR": f"{environ['WATS_CONFIG']}/data"}, FLASK, "wats", "db", "upgrade"
    )

    assert f"{environ['WATS_CONFIG']} is a file" in below_a_file
    assert f"{closed} cannot be written" in missing
    assert f"{foreign} cannot be written" in unreadable


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ('"sqlite:///{folder}/other.sqlite3"', "profiles.test.storage.url"),
        ("{{ env: TEST_DATABASE_URL }}", "TEST_DATABASE_URL"),
    ],
)
def test_a_file_of_a_url_that_cannot_be_created_is_reported_without_its_path(
    tmp_path: Path, closed: Path, url: str, source: str
) -> None:
    config = write_config(tmp_path, CONFIG + f"    storage: {{ url: {url.format(folder=closed)} }}\n")
    secret = f"sqlite:///{closed}/planted/planted.sqlite3"

    message = refused(
        environment(tmp_path, **LIVE, WATS_CONFIG=str(config), TEST_DATABASE_URL=secret), FLASK, "wats", "worker"
    )

    assert message.startswith(
        f"{source}: its folder cannot be written by user {OURS}: it belongs to {OURS}, mode 0500"
    )
    assert f"chown -R {os.geteuid()} PATH" in message
    assert str(closed) not in message


def test_the_path_of_a_secret_url_in_the_data_folder_is_not_printed_either(tmp_path: Path, closed: Path) -> None:
    config = write_config(tmp_path, CONFIG + "    storage: { url: { env: TEST_DATABASE_URL } }\n")
    environ = environment(tmp_path, **LIVE, WATS_CONFIG=str(config), WATS_DATA_DIR=str(closed))

    message = refused(
        {**environ, "TEST_DATABASE_URL": f"sqlite:///{closed}/planted.sqlite3"}, FLASK, "wats", "worker"
    )

    assert message.startswith("TEST_DATABASE_URL: its folder cannot be written")
    assert str(closed) not in message


def test_a_secret_url_with_a_file_in_the_place_of_a_folder_is_reported_without_its_path(tmp_path: Path) -> None:
    config = write_config(tmp_path, CONFIG + "    storage: { url: { env: TEST_DATABASE_URL } }\n")
    environ = environment(tmp_path, **LIVE, WATS_CONFIG=str(config))
    (tmp_path / "planted").write_text("")
    secret = f"sqlite:///{tmp_path}/planted/below/wats.sqlite3"

    message = refused({**environ, "TEST_DATABASE_URL": secret}, FLASK, "wats", "worker")

    assert message.startswith("TEST_DATABASE_URL: a file is where a folder is needed")
    assert "planted" not in message


def test_a_dry_run_keeps_its_file_below_tmp_and_says_so(tmp_path: Path, closed: Path) -> None:
    environ = {
        **environment(tmp_path, WATS_MODE="dry-run", WATS_CONFIG=str(write_config(tmp_path))),
        "WATS_DATA_DIR": str(closed),
        "TMPDIR": str(tmp_path),
    }
    with serving(tmp_path, command=without_roots_rights(FLASK, "wats", "serve"), environ=environ) as running:
        assert running.stop() == 0

    assert (tmp_path / "wats" / "dry-run.sqlite3").exists()
    [warning] = re.findall("^warning: dry-run keeps .*$", running.err, re.MULTILINE)
    assert f"{tmp_path}/wats: {closed} cannot be written by user {OURS}" in warning


@pytest.mark.parametrize("place", ["file", "file/data", "file/deeper/data"])
def test_a_dry_run_refuses_a_file_in_the_place_of_its_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    environ = environment(tmp_path, WATS_MODE="dry-run", WATS_CONFIG=str(write_config(tmp_path)))
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    message = refused(
        {**environ, "WATS_DATA_DIR": str(tmp_path / place), "TMPDIR": str(scratch)}, FLASK, "wats", "serve"
    )

    assert message.startswith(f"WATS_DATA_DIR: {tmp_path}/file is a file")
    assert "name another folder, or move the file away" in message
    assert list(scratch.iterdir()) == []


def test_a_dry_run_takes_no_folder_that_another_user_may_have_laid_out(tmp_path: Path, closed: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "wats").symlink_to(tmp_path / "elsewhere")
    environ = environment(tmp_path, WATS_MODE="dry-run", WATS_CONFIG=str(write_config(tmp_path)))

    message = refused({**environ, "WATS_DATA_DIR": str(closed), "TMPDIR": str(tmp_path)}, FLASK, "wats", "serve")

    assert message.startswith(f"WATS_DATA_DIR: {closed} cannot be written")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_media_that_cannot_be_made_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    media = f'    media: {{ fetchOnArrival: true, directory: "{tmp_path}/file/media" }}\n'
    environ = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path)}

    settings = load_settings(Flags(config=write_config(tmp_path, CONFIG + media), live=True, yes_live=True), environ)

    [warning] = settings.warnings
    assert warning.startswith(f"received media are not kept here: {tmp_path}/file is a file")


def test_a_command_without_a_database_needs_no_data_folder(tmp_path: Path, closed: Path) -> None:
    environ = {**environment(tmp_path), "TMPDIR": str(closed)}
    command = without_roots_rights(FLASK, "--app", str(ROOT / "wsgi.py"), "wats", "openapi", "--config")

    ended = subprocess.run(
        [*command, str(write_config(tmp_path))],
        cwd=closed,
        env=environ,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
    )

    assert ended.returncode == 0, ended.stderr
