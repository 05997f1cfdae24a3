"""gunicorn's logs in our form: its own lines, and one line for each request, without query string or raw path."""

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, ClassVar

from gunicorn.glogging import Logger

from app.log import configure_logging, for_terminal, log_uncaught_errors
from app.web.middleware import ERROR_CODE, MESSAGE, REQUEST_ID, ROUTE, TRACE

MAX_PATH_LENGTH = 64


class AccessLogger(Logger):  # type: ignore[misc]
    """Writes one line per request with the template of its route; the path of an unmatched one is shortened."""

    secrets: ClassVar[Sequence[str]] = ()
    """Values to keep out of every line; to be set before gunicorn makes its logger."""

    own_segments: ClassVar[Collection[str]] = ()
    """The fixed segments of the application's routes: all that is printed of an unmatched path."""

    def setup(self, cfg: Any) -> None:
        """Send gunicorn's own lines through our formatter."""
        self.cfg = cfg
        self._is_terminal = sys.stderr.isatty()
        configure_logging(level=cfg.loglevel.upper(), secrets=self.secrets)
        log_uncaught_errors()
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def access(self, resp: Any, _req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write the line of an answered request."""
        route = environ.get(ROUTE)
        code = environ.get(ERROR_CODE)
        error = f'"error":"{code}",' if code else ""
        message = f'"messageId":"{environ[MESSAGE]}",' if MESSAGE in environ else ""
        location = quoted_route(route) if route else quoted_path(environ.get("PATH_INFO", ""), self.own_segments)
        line = (
            f'{{"time":"{datetime.now(UTC).isoformat(timespec="milliseconds")}","level":"info","logger":"http",'
            f'"event":"http.request","method":{quoted(environ.get("REQUEST_METHOD", ""))},{location},'
            f'"status":{str(resp.status)[:3]},{error}"durationMs":{request_time.total_seconds() * 1000:.1f},'
            f'"bytes":{resp.sent},{message}"requestId":{quoted(environ[REQUEST_ID])},"traceId":"{environ[TRACE].trace_id}"}}'
        )
        sys.stderr.write(f"{for_terminal(line) if self._is_terminal else line}\n")

    def reopen_files(self) -> None:
        """Do nothing: there are no files, the log is standard error."""


@lru_cache(maxsize=256)
def quoted_route(route: str) -> str:
    """Return the JSON member with a route's template."""
    return f'"route":{quoted(route)}'


def quoted_path(path: str, own_segments: Collection[str]) -> str:
    """Return the JSON members for an unmatched path: a segment that is not ours may be a secret or a phone number."""
    shown = "/".join(segment if segment in own_segments else "…" for segment in path.split("/"))
    return f'"route":"unmatched","path":{quoted(shown[:MAX_PATH_LENGTH])}'


def fixed_segments(routes: Iterable[str]) -> frozenset[str]:
    """Return the segments of these routes that hold no parameter, and the empty one."""
    return frozenset(segment for route in routes for segment in route.split("/") if "<" not in segment)
