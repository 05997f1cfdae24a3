"""Importing stays cheap: every command pays for the command line, and every start for its processes."""

import subprocess
import sys

import pytest

from tests.support.serving import ROOT


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


def test_the_supervisor_imports_neither_packages_nor_the_config() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import app.supervisor.task; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True)

    assert {"app.config", "gevent", "click"} & set(loaded.stdout.split()) == set()
