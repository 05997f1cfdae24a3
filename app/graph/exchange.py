"""Exchanges one request and its answer with Meta, piece by piece, over connections that know what was not sent."""

import time
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from itertools import chain
from typing import cast

from gevent import Timeout
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse

from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.graph_errors import GraphError, error_of_answer
from app.graph.call import GraphReply, GraphRequest, GraphUnreachable, given_headers, sent_headers
from app.graph.connection import CONNECT_SECONDS, GraphAdapter, RequestNotSent
from app.graph.failures import FAILURES, reason_of

MAX_CALL_SECONDS = 600.0
"""The limit for a whole call: 100 megabytes over a slow line. Silence ends a call much earlier."""

PIECE_BYTES = 64 * 1024
MAX_ERROR_BYTES = 16 * 1024
WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS")


def exchange(
    adapter: GraphAdapter, url: str, token: str, request: GraphRequest, *, agent: str, silence_seconds: float
) -> GraphReply:
    """Send a request to this URL, and return its answer once its head is there. No redirect is followed.

    Raises `GraphUnreachable`, and whatever the pieces of the body raise.
    """
    ends_at = time.monotonic() + MAX_CALL_SECONDS
    prepared = _prepared(request, url, token, agent)
    try:
        with Timeout(MAX_CALL_SECONDS, GraphUnreachable("no answer in time")):
            response = adapter.send(prepared, stream=True, timeout=(CONNECT_SECONDS, silence_seconds))
    except RequestNotSent as failure:
        raise GraphUnreachable(failure.reason, was_sent=False) from failure
    except FAILURES as failure:
        raise GraphUnreachable(reason_of(failure)) from failure
    raw = cast("BaseHTTPResponse", response.raw)
    headers = given_headers(list(raw.headers.iteritems()))
    return GraphReply(raw.status, headers, _pieces(raw, ends_at), response.close)


def with_error(reply: GraphReply) -> tuple[GraphReply, GraphError | None]:
    """Return a reply, to be read from its beginning, and Meta's error if it is a refusal.

    Raises what the pieces of the body raise.
    """
    if reply.status < HTTPStatus.BAD_REQUEST:
        return reply, None
    pieces: list[bytes] = []
    try:
        while sum(map(len, pieces)) <= MAX_ERROR_BYTES and (piece := next(reply.chunks, b"")):
            pieces.append(piece)
    except GraphUnreachable:
        reply.close()
        raise
    try:
        error = error_of_answer(read_body(b"".join(pieces)))
    except Unreadable:
        error = None
    return replace(reply, chunks=chain(pieces, reply.chunks)), error


def _prepared(request: GraphRequest, url: str, token: str, agent: str) -> PreparedRequest:
    """Return the request as it goes out. `requests` would decode and encode the path anew, so all is put in here."""
    prepared = PreparedRequest()
    prepared.method = request.method
    prepared.url = url
    prepared.headers = CaseInsensitiveDict({"User-Agent": agent, **sent_headers(request.headers)})
    prepared.headers["Authorization"] = f"{request.scheme} {token}"
    prepared.headers["Accept-Encoding"] = "identity"
    length = len(request.body) if isinstance(request.body, bytes) else request.length
    if length is not None and (length or request.method not in WITHOUT_BODY):
        prepared.headers["Content-Length"] = str(length)
    prepared.body = None if request.body == b"" else request.body  # type: ignore[assignment]  # any iterable is fine
    return prepared


def _pieces(raw: BaseHTTPResponse, ends_at: float) -> Iterator[bytes]:
    """Yield the body as it comes, decoded if Meta has encoded it although nothing has asked for that."""
    while True:
        try:
            with Timeout(max(0.0, ends_at - time.monotonic()), GraphUnreachable("no whole answer in time")):
                piece = raw.read1(PIECE_BYTES, decode_content=True)
        except FAILURES as failure:
            raise GraphUnreachable(reason_of(failure)) from failure
        if not piece:
            return
        yield piece
