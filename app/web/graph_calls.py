"""Brings the paths of requests below `<api>/graph` into one plain form before they are routed.

Otherwise routing could see a different path than Meta does, and a message could be passed on past its queue.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.meta.graph_path import GraphPath, OddPath, graph_path
from app.web.middleware import Environ, WsgiApp

GRAPH_CALL = "wats.graph_call"
"""The key of the environ under which such a request has its `GraphPath` or `OddPath`."""

SEGMENT = "/graph"
NO_VERSION = "-"
ODD = OddPath("the part of the path up to `graph` must be written as it is documented, unescaped")


class GraphCalls:
    """Wraps a WSGI application: sets `PATH_INFO` of these requests to `<api>/graph/{version or -}/{plain path}`."""

    def __init__(self, app: WsgiApp, api_prefix: str) -> None:
        self._app = app
        self._prefix = api_prefix.rstrip("/") + SEGMENT

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(self._prefix) and path[len(self._prefix) :][:1] in ("", "/"):
            call = environ[GRAPH_CALL] = self._call(environ["RAW_URI"].partition("?")[0])
            version = call.version if isinstance(call, GraphPath) else None
            plain = call.path if isinstance(call, GraphPath) else ""
            environ["PATH_INFO"] = f"{self._prefix}/{version or NO_VERSION}/{plain}"
        return self._app(environ, start_response)

    def _call(self, raw: str) -> GraphPath | OddPath:
        rest = raw.removeprefix(self._prefix)
        return graph_path(rest) if rest != raw and rest[:1] in ("", "/") else ODD
