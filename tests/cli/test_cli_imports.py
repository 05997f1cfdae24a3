"""Importing stays cheap: every command pays for the command line, and every start for its processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.serving import ROOT


@pytest.mark.parametrize("package", ["sqlalchemy", "flask_smorest"])
def test_the_command_line_imports_its_commands_packages_only_when_a_command_runs(package: str) -> None:
    code = f"import sys, app.cli; sys.exit({package!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


RUN = """
import sys
from app.cli import CommandFailed, wats
try:
    wats(sys.argv[1:], standalone_mode=False)
except CommandFailed:
    pass
print(*sys.modules)
"""
DEAR = {"sqlalchemy", "flask", "flask_smorest", "requests", "environs", "marshmallow", "gevent", "alembic"}


@pytest.mark.parametrize(
    ("arguments", "used"), [(["status"], "app.cli.client"), (["serve", "--print-config"], "app.cli.start_checks")]
)
def test_a_command_imports_only_what_it_uses(tmp_path: Path, arguments: list[str], used: str) -> None:
    config = str(ROOT / "config" / "wats.config.yaml")
    environ = {"PATH": os.environ["PATH"], "WATS_CONFIG": config, "WATS_MODE": "dry-run", "WATS_PORT": "9"}

    ended = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**environ, "WATS_DATA_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )

    loaded = set(ended.stdout.splitlines()[-1].split())
    assert used in loaded
    assert DEAR & loaded == set()


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [("worker", "flask"), ("worker", "alembic"), ("factory", "alembic"), ("store", "sqlalchemy.dialects.postgresql")],
)
def test_a_process_imports_nothing_that_it_does_not_need(module: str, unneeded: str) -> None:
    code = f"import sys, app.{module}; sys.exit({unneeded!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_gateway_that_exports_no_spans_imports_nothing_of_opentelemetry(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    code = f"""
import sys
from app.assembly import build_worker, load_code
from app.config import Flags, load_settings
from app.factory import create_app

settings = load_settings(Flags(config={str(config)!r}, dry_run=True), {{"WATS_DATA_DIR": {str(tmp_path)!r}}})
load_code(settings)
build_worker(create_app(settings).extensions["wats"], print)
sys.exit("opentelemetry" in sys.modules)
"""

    ended = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (0, "")


UNNEEDED_BY_A_SUPERVISOR = {
    "app.config",
    "gevent",
    "click",
    "_hashlib",
    "dataclasses",
    "inspect",
    "tempfile",
    "socket",
}


def test_the_supervisor_imports_no_package_no_config_and_little_of_pythons_library() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import app.supervisor.__main__; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True)

    assert UNNEEDED_BY_A_SUPERVISOR & set(loaded.stdout.split()) == set()


PATCH = """
from importlib import metadata
reads, read = [], metadata.entry_points
metadata.entry_points = lambda **of: reads.append(of) or read(**of)
from app.gevent_patch import patch
patch()
print(len(reads))
"""


def test_gevents_patch_reads_the_installed_packages_once_and_tells_the_one_that_wants_to_know(tmp_path: Path) -> None:
    installed = tmp_path / "plugin-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[gevent.plugins.monkey.did_patch_all]\nplugin = builtins:print\n")

    patched = subprocess.run(
        [sys.executable, "-c", PATCH],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        check=True,
        capture_output=True,
        text=True,
    )

    told, reads = patched.stdout.splitlines()
    assert "GeventDidPatchAllEvent" in told
    assert reads == "1"
