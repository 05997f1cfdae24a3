"""gunicorn's logs in our form: its own lines, and one line for each request without query string or raw path."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from gunicorn.glogging import Logger

from app.log import configure_logging

ROUTE = "wats.route"
REQUEST_ID = "wats.request_id"
SHOWN_PATH = 64
LONGEST_SEGMENT = 20


class AccessLogger(Logger):  # type: ignore[misc]
    """One JSON line per request, named by its route's template; the path of an unknown one is cut short."""

    secrets: ClassVar[Sequence[str]] = ()
    """Values to keep out of every line; set before gunicorn makes its logger."""

    def setup(self, cfg: Any) -> None:
        """Send gunicorn's own lines through our formatter."""
        self.cfg = cfg
        configure_logging(level=cfg.loglevel.upper(), secrets=self.secrets)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def access(self, resp: Any, _req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write the line of a request that was answered."""
        route = environ.get(ROUTE)
        line = {
            "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "level": "info",
            "logger": "http",
            "event": "http.request",
            "method": environ.get("REQUEST_METHOD"),
            "route": route or "unmatched",
            "status": int(resp.status.split(None, 1)[0]) if isinstance(resp.status, str) else resp.status,
            "durationMs": round(request_time.total_seconds() * 1000, 1),
            "bytes": getattr(resp, "sent", None),
            "requestId": environ.get(REQUEST_ID),
        }
        if route is None:
            line["path"] = shortened(environ.get("PATH_INFO", ""))
        sys.stderr.write(json.dumps(line, ensure_ascii=True) + "\n")

    def reopen_files(self) -> None:
        """There are no files: the platform keeps the stream."""


@lru_cache(maxsize=256)
def shortened(path: str) -> str:
    """An unknown path for people: long segments, which may be anything, are left out."""
    return re.sub(rf"[^/]{{{LONGEST_SEGMENT},}}", "…", path)[:SHOWN_PATH]
