"""The gateway's own processes, as commands to be run in the repository's folder."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
GUNICORN = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
WORKER = [sys.executable, "-m", "app.worker"]
