"""The commands of the gateway's own processes, to be run in ROOT."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

LAUNCHER = [sys.executable, "-m", "app.launcher"]
"""Append the roles to start: `web`, `worker`."""

SUPERVISOR = [sys.executable, "-I", "-S", str(ROOT / "app" / "supervisor" / "__main__.py")]
"""Append the descriptor of its task. It runs without installed packages: it needs none, and stays small."""

WORKER = [sys.executable, "-m", "app.worker"]
