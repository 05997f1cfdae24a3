"""A stray `.env`, which the `flask` command loads before any of our code runs, opens nothing and supplies nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import ConfigError, Flags, load_settings
from app.config.start.environment import without_dotenv_files
from tests.config.starts import SECRETS, config_in
from tests.support.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parent.parent.parent
SCRIPT = """
import json, os, sys
from flask.cli import load_dotenv

assert load_dotenv()
assert os.environ["WATS_MODE"] == "live" and os.environ["ACCESS_TOKEN"]

from app.config import ConfigError, Flags, load_settings

flags = {name: True for name in sys.argv[1:]}
try:
    print(json.dumps([load_settings(Flags(**flags)).mode]))
except ConfigError as error:
    print(" ".join(sorted({problem.code for problem in error.problems})))
"""


def outcome_beside_a_stray_env_file(folder: Path, *flags: str, **environ: str) -> str:
    """Return what a start prints in a process whose folder has a `.env` with every variable."""
    config = config_in(folder)
    variables = {**SECRETS, "WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_PAAS": "1", "WATS_CONFIG": str(config)}
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *flags],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        check=True,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    ).stdout.strip()


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ((), "mode_missing"),
        (("yes_live",), "mode_missing"),
        (("live",), "secret_missing yes_live_missing"),
        (("live", "yes_live"), "secret_missing"),
        (("dry_run",), '["dry-run"]'),
    ],
)
def test_a_stray_env_file_chooses_no_mode_and_supplies_no_secret(
    flags: tuple[str, ...], outcome: str, tmp_path: Path
):
    assert outcome_beside_a_stray_env_file(tmp_path, *flags) == outcome


def test_the_environment_that_a_process_was_started_with_counts(tmp_path: Path):
    outcome = outcome_beside_a_stray_env_file(tmp_path, **SECRETS, WATS_MODE="live", WATS_YES_LIVE="1")

    assert outcome == '["live"]'


def test_without_proc_the_variables_of_such_files_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("A=1\nB=2\nC=3\n")
    (tmp_path / ".flaskenv").write_text("A=other\nD=4\n")

    kept = without_dotenv_files({"A": "1", "B": "given", "C": "3", "D": "4", "E": "5"})

    assert kept == {"B": "given", "E": "5"}


def problems_beside(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, **flags: bool) -> str:
    """Return what a start without variables is refused for, in a folder with this `.env`."""
    monkeypatch.chdir(folder)
    (folder / ".env").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_settings(Flags(config=config_in(folder), **flags), {})
    return str(refused.value)


def test_a_file_that_has_a_missing_secret_and_was_not_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = problems_beside(tmp_path, monkeypatch, "ACCESS_TOKEN=planted-token\n", live=True, yes_live=True)

    [missing] = [line for line in told.splitlines() if "ACCESS_TOKEN is not set" in line]
    assert f". {tmp_path}/.env has it, but was not read: name it with --env-file" in missing
    assert told.count("was not read") == 1
    assert "planted" not in told


def test_a_file_that_names_a_mode_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = problems_beside(tmp_path, monkeypatch, "WATS_MODE=live\n")

    assert f"{tmp_path}/.env sets WATS_MODE, but no file chooses the mode" in told


def test_start_options_in_a_file_that_was_not_read_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("WATS_PORT=3100\nWATS_PROFILE=other\nOTHER=x\n")
    (tmp_path / ".env.local").write_text("not an env file")
    environ = {"WATS_PROFILE": "main", "WATS_DATA_DIR": str(tmp_path)}

    warnings = load_settings(Flags(config=config_in(tmp_path), dry_run=True), environ).warnings

    assert [text for text in warnings if ".env" in text] == [
        f"{tmp_path}/.env was not read, and its WATS_PORT does not count; export it"
    ]
