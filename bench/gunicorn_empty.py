"""The project's own gunicorn settings for bench/empty.py, without the hooks that need a gateway."""

import runpy
from pathlib import Path

_settings = runpy.run_path(str(Path(__file__).parent.parent / "gunicorn.conf.py"))
globals().update(
    {
        name: value
        for name, value in _settings.items()
        if not name.startswith("_") and name not in ("post_worker_init", "when_ready")
    }
)
