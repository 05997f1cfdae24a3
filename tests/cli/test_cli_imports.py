"""Importing the command line stays cheap, because every command pays for it."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["sqlalchemy", "flask_smorest"])
def test_the_command_line_imports_its_commands_packages_only_when_a_command_runs(package: str) -> None:
    code = f"import sys, app.cli; sys.exit({package!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
