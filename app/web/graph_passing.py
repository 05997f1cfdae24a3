"""Passes one call on to the Graph API, and its answer back: without tokens, with our addresses in place of Meta's.

Text is read as a whole, to replace what is in it. Files are streamed: a process holds no more than a piece of one.
What begins as JSON does is text, whatever its type says.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from itertools import chain
from urllib.parse import urlsplit

from flask import Response, current_app, request

from app.domain.meta.graph_text import (
    UnreadableAnswer,
    begins_as_json,
    chunks_without_tokens,
    with_own_addresses,
    without_tokens,
)
from app.graph.call import GraphReply, GraphRequest, GraphUnreachable
from app.graph.media import META_DOMAINS
from app.web.current import gateway
from app.web.errors import ApiError
from app.web.meta_calls import retry_of
from app.web.middleware import ERROR_CODE, REQUEST_ID, TRACE, Environ
from app.web.transfers import TransferBroken, Transfers, sent_in_time, transfers

log = logging.getLogger(__name__)

MAX_CALLS = 256
"""A web process serves a thousand connections, and Meta may take long to answer: most stay free for webhooks."""

CALLS = "wats.graph_calls_at_once"
BUSY = "Too many calls wait for Meta; try again in a few seconds."
MAX_TEXT_BYTES = 8 * 1024 * 1024
CLIENT = "gunicorn.socket"
REDIRECTS = range(300, 400)
NOT_MODIFIED = 304
SAFE = ("GET", "HEAD")
_TEXT = re.compile(r"text/|[^;]*(json|javascript|xml|urlencoded)", re.IGNORECASE)
_GIVEN_BACK = re.compile(
    r"content-(type|disposition|language|range)|etag|last-modified|cache-control|expires|pragma|retry-after|vary"
    r"|accept-ranges|facebook-[\w-]+|error-mid|x-(fb|app|business|ad|page|entity)-[\w-]+",
    re.IGNORECASE,
)
"""Other headers of Meta's are about its own host: cookies, policies, reports."""


def pass_on(asked: GraphRequest) -> Response:
    """Make a call, and return Meta's answer for our client. Raises `ApiError` if there is no answer."""
    calls: Transfers = current_app.extensions.setdefault(CALLS, Transfers(MAX_CALLS, BUSY))
    with calls.one():
        return _passed_on(asked)


def _passed_on(asked: GraphRequest) -> Response:
    try:
        reply = gateway().graph.call(asked)
        if reply.status in REDIRECTS and reply.status != NOT_MODIFIED:
            reply.close()
            raise ApiError(
                "answer_lost", "Meta has answered with a redirect, which is not passed on; ask for `redirect=0`."
            )
        if reply.status >= HTTPStatus.BAD_REQUEST:
            request.environ[ERROR_CODE] = "meta_refused"
        headers = _headers(reply)
        reply, is_text = _looked_into(reply)
        if not is_text:
            return _streamed(reply, headers)
        with reply:
            text = reply.read(MAX_TEXT_BYTES)
    except GraphUnreachable as failure:
        raise _error(failure, asked.method) from failure
    return Response(_shown(text), reply.status, headers)


def _looked_into(reply: GraphReply) -> tuple[GraphReply, bool]:
    """Return the reply, to be read from its beginning, and whether it is text, by its type or by its first piece."""
    try:
        start = next(reply.chunks, b"")
    except GraphUnreachable:
        reply.close()
        raise
    is_text = bool(_TEXT.match(reply.header("content-type") or "")) or begins_as_json(start)
    return replace(reply, chunks=chain((start,), reply.chunks)), is_text


def _shown(text: bytes) -> bytes:
    """Return the text of an answer as a client may see it: without tokens, and with our addresses for Meta's."""
    hosts = (*META_DOMAINS, urlsplit(gateway().settings.graph.base_url).hostname or "")
    try:
        return with_own_addresses(without_tokens(text, *_tokens()), _address_of_media, _address_of_page, hosts)
    except UnreadableAnswer as error:
        reason = "Meta's answer cannot be read, and may have addresses that are not for a client of wats"
        raise ApiError("answer_lost", f"{reason}; it may have done what was asked.") from error


def client_is_gone() -> bool:
    """Return whether the client of the current request has closed its connection: no answer reaches it."""
    client = request.environ.get(CLIENT)
    return client is not None and client.is_closed_by_peer()


def _headers(reply: GraphReply) -> list[tuple[str, str]]:
    tokens = _tokens()
    return [
        (name, without_tokens(value.encode("latin-1"), *tokens).decode("latin-1"))
        for name, value in reply.headers
        if _GIVEN_BACK.fullmatch(name)
    ]


def _tokens() -> tuple[str, ...]:
    token = gateway().settings.access_token
    return () if token is None else tuple(token.active)


def _address_of_media(media_id: str) -> str:
    """Return where a client gets a file from us: at our public URL, or where the client has found us."""
    service = gateway().settings.service
    return service.media_url(media_id) or f"{_found_at()}/media/{media_id}/content"


def _address_of_page(url: str) -> str:
    """Return where a client gets a page of a list from us; an address of another host is returned as it is."""
    service, meta = gateway().settings.service, f"{gateway().settings.graph.base_url.rstrip('/')}/"
    ours = f"{service.public_url}{service.api_prefix}" if service.public_url else _found_at()
    return f"{ours}/graph/{url.removeprefix(meta)}" if url.startswith(meta) else url


def _found_at() -> str:
    """Return the address of our API that the client has used; by TLS if a proxy in front of us says so."""
    proxied = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    scheme = "https" if proxied == "https" else request.scheme
    return f"{scheme}://{request.host}{gateway().settings.service.api_prefix}"


def _streamed(reply: GraphReply, headers: list[tuple[str, str]]) -> Response:
    try:
        end = transfers().begin()
    except ApiError:
        reply.close()
        raise
    response = Response(_pieces(reply, request.environ, _tokens()), reply.status, headers)
    if length := reply.header("content-length"):
        response.headers["Content-Length"] = length

    def close() -> None:
        reply.close()
        end()

    response.call_on_close(close)
    return response


def _pieces(reply: GraphReply, environ: Environ, tokens: tuple[str, ...]) -> Iterator[bytes]:
    """Yield the pieces of a file, without tokens.

    If it breaks off, so does our answer: the client must not take it for complete.
    """
    try:
        yield from sent_in_time(chunks_without_tokens(reply.chunks, *tokens))
    except GraphUnreachable as failure:
        ids = {"request_id": environ[REQUEST_ID], "trace_id": environ[TRACE].trace_id}
        log.warning("graph.broken_off", extra={**ids, "reason": failure.reason})
        raise TransferBroken(failure.reason) from failure


def _error(failure: GraphUnreachable, method: str) -> ApiError:
    if not failure.was_sent:
        return ApiError(
            "meta_unavailable", f"Meta cannot be reached: {failure.reason}; try again.", headers=retry_of(failure)
        )
    done = "" if method in SAFE else "; it may have done what was asked"
    return ApiError("answer_lost", f"Meta's answer was lost: {failure.reason}{done}.")
