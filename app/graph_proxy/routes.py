"""The passage: `<api>/graph/{version}/{path}` is the Graph API's `{version}/{path}`, with any method."""

import re
from contextlib import nullcontext

from flask import Blueprint, Response, current_app, request

from app.domain.meta.graph_fields import refused_call
from app.domain.meta.graph_path import ONE_WAY, GraphPath, OddPath
from app.graph.call import GraphRequest
from app.graph_proxy.bodies import checked_body
from app.web.errors import ApiError
from app.web.graph_calls import GRAPH_CALL
from app.web.graph_passing import pass_on
from app.web.guards import bearer, guarded_by
from app.web.query_parameters import accepts_any_query
from app.web.transfers import EXTENSION as TRANSFERS
from app.web.transfers import Transfers

bp = Blueprint("graph_proxy", __name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PASSED_ON = re.compile(
    r"accept(-language)?|connection|file[-_]offset|if-[\w-]+|range|user-agent|x-fb-[\w-]+", re.ASCII | re.IGNORECASE
)
"""Any other header may be what a proxy in front of us has added for us, such as who has logged in.

`Connection` names further ones that are not passed on; it is not passed on itself.
"""

RENAMED = {"File-Offset": "file_offset"}


@bp.route("/graph/<version>/", defaults={"path": ""}, methods=METHODS)
@bp.route("/graph/<version>/<path:path>", methods=METHODS)
@guarded_by(bearer("graph"))
@accepts_any_query
def call_graph(version: str, path: str) -> Response:  # noqa: ARG001 - the undecoded path is in the environ
    """Pass a call on to Meta, and its answer back."""
    called: GraphPath | OddPath = request.environ[GRAPH_CALL]
    if isinstance(called, OddPath):
        raise ApiError("not_passed_on", f"wats does not pass this on: {called.reason}.")
    if called.sends is not None:
        raise ApiError("not_passed_on", f"wats does not pass this on: {ONE_WAY}.")
    if not called.path and request.method not in ("GET", "HEAD"):
        raise ApiError("not_passed_on", "wats does not pass this on: the root takes batches only.")
    query = request.environ["QUERY_STRING"]
    if reason := refused_call(query, request.headers.keys()):
        raise ApiError("not_passed_on", f"wats does not pass this on: {reason}.")
    body = checked_body(request, called)
    headers = _headers() if body.kind is None else [*_headers(), ("Content-Type", body.kind)]
    asked = GraphRequest(request.method, called.path, query, headers, body.content, body.length, called.version)
    transfers: Transfers = current_app.extensions[TRANSFERS]
    with nullcontext() if isinstance(body.content, bytes) else transfers.one():
        return pass_on(asked)


def _headers() -> list[tuple[str, str]]:
    return [(RENAMED.get(name, name), value) for name, value in request.headers.items() if PASSED_ON.fullmatch(name)]
