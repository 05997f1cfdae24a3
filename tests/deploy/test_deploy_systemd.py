"""The unit of deploy/systemd: known to systemd, and with little that it may do. No running systemd is needed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.serving import ROOT

UNIT = ROOT / "deploy" / "systemd" / "wats.service"
MAX_EXPOSURE = 20
"""Of 100, as `systemd-analyze security` counts; a unit without any sandboxing has 96."""

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program and a folder that are here, and without its user, who is not."""
    text = UNIT.read_text().replace("/opt/wats/.venv/bin/flask", "/usr/bin/env").replace("=/opt/wats", "=/")
    copy = tmp_path / "wats.service"
    copy.write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_knows_every_line_of_the_unit(unit: Path) -> None:
    checked = analyze("verify", "--man=no", "--recursive-errors=no", str(unit))

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_misspelt_line_is_found(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHomes="))

    assert "ProtectHomes" in analyze("verify", "--man=no", "--recursive-errors=no", str(unit)).stderr


def test_the_unit_may_do_little(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("[Service]\n", "[Service]\nUser=1000\n"))

    checked = analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", "--no-pager", str(unit))

    assert checked.returncode == 0, checked.stdout


def test_a_wrong_configuration_is_final_and_everything_else_is_started_again() -> None:
    text = UNIT.read_text()

    assert "Restart=always\n" in text
    assert "RestartPreventExitStatus=78\n" in text
