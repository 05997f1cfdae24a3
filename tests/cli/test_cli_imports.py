"""Importing stays cheap: every command pays for the command line, and every start for its processes."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["sqlalchemy", "flask_smorest"])
def test_the_command_line_imports_its_commands_packages_only_when_a_command_runs(package: str) -> None:
    code = f"import sys, app.cli; sys.exit({package!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [("worker", "flask"), ("worker", "alembic"), ("factory", "alembic"), ("store", "sqlalchemy.dialects.postgresql")],
)
def test_a_process_imports_nothing_that_it_does_not_need(module: str, unneeded: str) -> None:
    code = f"import sys, app.{module}; sys.exit({unneeded!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
