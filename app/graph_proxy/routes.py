"""The passage: `<api>/graph/{version}/{path}` is the Graph API's `{version}/{path}`, with any method."""

import re
from contextlib import nullcontext

from flask import Blueprint, Response, request

from app.domain.meta.graph_fields import refused_call
from app.domain.meta.graph_path import ONE_WAY, GraphPath, OddPath
from app.graph.call import GraphRequest
from app.graph_proxy.bodies import checked_body
from app.web.errors import not_passed_on
from app.web.graph_calls import GRAPH_CALL
from app.web.graph_passing import pass_on
from app.web.guards import bearer, guarded_by
from app.web.query_parameters import accepts_any_query
from app.web.transfers import transfers

bp = Blueprint("graph_proxy", __name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PASSED_ON = re.compile(
    r"accept(-language)?|connection|file[-_]offset|if-[\w-]+|range|user-agent|x-fb-[\w-]+", re.ASCII | re.IGNORECASE
)
"""The headers that are passed on. A proxy in front of us may have added any other, such as the name of a user.

The Graph client reads `Connection` for the names of further headers to leave out, and leaves it out itself.
"""

RENAMED = {"File-Offset": "file_offset"}


@bp.route("/graph/<version>/", defaults={"path": ""}, methods=METHODS)
@bp.route("/graph/<version>/<path:path>", methods=METHODS)
@guarded_by(bearer("graph"))
@accepts_any_query
def call_graph(version: str, path: str) -> Response:  # noqa: ARG001 - the undecoded path is in the environ
    """Pass a call on to Meta, and its answer back."""
    plain, query = _plain_path(), request.environ["QUERY_STRING"]
    if reason := refused_call(query, request.headers.keys()):
        raise not_passed_on(reason)
    body = checked_body(request, plain)
    headers = _headers() if body.kind is None else [*_headers(), ("Content-Type", body.kind)]
    call = GraphRequest(request.method, plain.path, query, headers, body.content, body.length, plain.version)
    with nullcontext() if isinstance(body.content, bytes) else transfers().one():
        return pass_on(call)


def _plain_path() -> GraphPath:
    """Return the path of the current request. Raises `ApiError` if no call of this path is passed on."""
    path: GraphPath | OddPath = request.environ[GRAPH_CALL]
    if isinstance(path, OddPath):
        raise not_passed_on(path.reason)
    if path.sends is not None:
        raise not_passed_on(ONE_WAY)
    if not path.path and request.method not in ("GET", "HEAD"):
        raise not_passed_on("the root takes batches only")
    return path


def _headers() -> list[tuple[str, str]]:
    return [(RENAMED.get(name, name), value) for name, value in request.headers.items() if PASSED_ON.fullmatch(name)]
