"""The project's own gunicorn settings for bench/empty.py, without the hooks that need a gateway."""
# ruff: noqa: E402

import runpy
from pathlib import Path
from typing import Any

_settings = runpy.run_path(str(Path(__file__).parent.parent / "gunicorn.conf.py"))
globals().update(
    {
        name: value
        for name, value in _settings.items()
        if not name.startswith("_") and name not in ("post_worker_init", "when_ready")
    }
)

from app.domain.trace import TraceContext
from app.server.access_log import AccessLogger
from app.web.middleware import REQUEST_ID, TRACE

_GIVEN = {REQUEST_ID: "empty", TRACE: TraceContext.new()}


class EmptyRouteLogger(AccessLogger):
    """Writes the same line about a request, which no middleware of ours has given an id."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Write the line of an answered request."""
        super().access(resp, req, {**environ, **_GIVEN}, request_time)


logger_class = EmptyRouteLogger
