"""CI runs the tests of the image where it can have a container engine, and says in one line why where it cannot."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.serving import ROOT

ENGINE = ROOT / ".ci" / "engine"


def run_with(folder: Path, programs: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run `.ci/engine` on a machine where these programs behave so."""
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(folder),
        "CONTAINER_ENGINE": str(folder / "docker"),
    }
    return subprocess.run([ENGINE, *command], env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        ({"docker": "exit 1", "id": "echo 1000"}, "this is not root, and no engine is reachable"),
        ({"docker": "exit 1", "id": "echo 0", "grep": "exit 1"}, "this is not Debian, and no engine is reachable"),
    ],
    ids=["not root", "not Debian"],
)
def test_where_no_engine_can_be_had_it_says_why_and_does_not_fail(
    tmp_path: Path, programs: Mapping[str, str], reason: str
) -> None:
    ended = run_with(tmp_path, programs, "make", "image-test")

    expected = f"NOT RUN: make image-test, because no container engine could be had: {reason}\n"
    assert (ended.returncode, ended.stdout) == (0, expected)


@pytest.mark.parametrize("code", [0, 3])
def test_with_an_engine_the_exit_code_is_that_of_the_command(tmp_path: Path, code: int) -> None:
    assert run_with(tmp_path, {"docker": "exit 0"}, "sh", "-c", f"exit {code}").returncode == code


def test_an_engine_without_the_base_image_is_not_taken(tmp_path: Path) -> None:
    ended = run_with(tmp_path, {"docker": '[ "$1" = info ]', "id": "echo 1000"}, "false")

    assert (ended.returncode, ended.stdout.count("NOT RUN")) == (0, 1)


def test_ci_repeats_at_its_end_what_it_could_not_run() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()

    assert lines[-1] == "grep '^NOT RUN' \"$told\" || true"
    assert [line for line in lines if line.endswith('"$told"')] == [
        '.ci/programs | tee "$told"',
        '.ci/engine make image-test | tee -a "$told"',
    ]
