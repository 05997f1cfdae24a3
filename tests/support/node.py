"""Scripts of Node, with the packages of `tests/node`. Tests that need them skip where node or npm is missing.

The packages are installed by the first test that needs them, as their lock says, into a folder of the virtual
environment; another lock has another folder.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

PACKAGES = ROOT / "tests" / "node"
INSTALLED = Path(sys.prefix) / "node"
FILES = ("package.json", "package-lock.json", ".npmrc")
INSTALL_SECONDS = 300
OLDEST = 20


def run_node(script: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a module of JavaScript to its end. It may import the packages; it knows only these variables."""
    folder = node_folder()
    name = f"{hashlib.sha256(script.encode()).hexdigest()[:12]}.mjs"
    (folder / name).write_text(script)
    return subprocess.run(
        ["node", name, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


@cache
def node_folder() -> Path:
    """Return the folder with the packages; install them if no test has done so. Skip the test without Node."""
    reason = _why_not()
    if reason:
        pytest.skip(reason)
    digest = hashlib.sha256(b"".join((PACKAGES / name).read_bytes() for name in FILES)).hexdigest()
    folder = INSTALLED / digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for name in FILES:
                shutil.copy(PACKAGES / name, folder)
            subprocess.run(["npm", "ci"], cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)
            (folder / "done").touch()
    return folder


def _why_not() -> str | None:
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        return f"there is no {' and no '.join(missing)} on PATH"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    is_old = int(told.removeprefix("v").partition(".")[0]) < OLDEST
    return f"node is {told}; the packages need {OLDEST}" if is_old else None
