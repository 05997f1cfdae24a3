"""gunicorn's logs in our form: its own lines, and one line for each request without query string or raw path."""

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, ClassVar

from gunicorn.glogging import Logger

from app.log import configure_logging

ROUTE = "wats.route"  # as app.web.middleware leaves them; a log knows no room
REQUEST_ID = "wats.request_id"
SHOWN_PATH = 64
MAX_SEGMENT_LENGTH = 20


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
        where = quoted_route(route) if route else quoted_path(environ.get("PATH_INFO", ""))
        sys.stderr.write(
            f'{{"time":"{datetime.now(UTC).isoformat(timespec="milliseconds")}","level":"info","logger":"http",'
            f'"event":"http.request","method":{quoted(environ.get("REQUEST_METHOD", ""))},{where},'
            f'"status":{str(resp.status)[:3]},"durationMs":{request_time.total_seconds() * 1000:.1f},'
            f'"bytes":{resp.sent},"requestId":{quoted(environ.get(REQUEST_ID, ""))}}}\n'
        )

    def reopen_files(self) -> None:
        """There are no files: the platform keeps the stream."""


@lru_cache(maxsize=256)
def quoted_route(route: str) -> str:
    """The route of a known path."""
    return f'"route":{quoted(route)}'


def quoted_path(path: str) -> str:
    """An unknown path for people: long segments, which may be anything, are left out."""
    return f'"route":"unmatched","path":{quoted(re.sub(rf"[^/]{{{MAX_SEGMENT_LENGTH},}}", "…", path)[:SHOWN_PATH])}'
