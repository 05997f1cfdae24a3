"""`wats`: the same commands as a program of its own, from any folder."""

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from app.cli import CommandFailed
from app.cli.start_checks import refuse_partial_installation
from app.domain import VERSION
from tests.support.serving import ROOT

PROGRAM = (sys.executable, str(ROOT / "deploy" / "wats"))


def wats(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command, variables = [*PROGRAM, *arguments], {"PATH": os.environ["PATH"], **environ}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_it_prints_its_version(tmp_path: Path) -> None:
    assert wats("--version", folder=tmp_path).stdout == f"wats {VERSION}\n"


def test_it_runs_a_command_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "wats.config.yaml").write_text((ROOT / "config" / "wats.config.yaml").read_text())

    checked = json.loads(wats("config", "validate", "--json", folder=tmp_path).stdout)

    assert checked["config"] == str(tmp_path / "wats.config.yaml")


def test_it_completes_commands_and_options(tmp_path: Path) -> None:
    script = wats(folder=tmp_path, _WATS_COMPLETE="bash_source").stdout
    completed = wats(
        folder=tmp_path, _WATS_COMPLETE="bash_complete", COMP_WORDS="wats events list --ty", COMP_CWORD="3"
    )

    assert "complete -o nosort -F" in script
    assert completed.stdout == "plain,--types\n"


def test_pip_installs_the_same_program() -> None:
    module, _, name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["wats"].partition(
        ":"
    )

    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("package", ["flask", "sqlalchemy", "alembic", "marshmallow"])
def test_a_client_command_of_the_program_imports_no_framework(package: str) -> None:
    code = f"import sys, app.program, app.cli.status; sys.exit({package!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_serve_tells_a_copy_of_the_commands_how_to_be_installed(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="pip install -e"):
        refuse_partial_installation(tmp_path)
