"""Checks the body of a call before it is passed on. JSON and forms are read as a whole; a file is streamed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Request

from app.domain.meta.graph_fields import ASKED, asks_for_token, plain_names, refused_field, refused_form
from app.domain.meta.graph_path import UPLOAD_SESSION, GraphPath
from app.graph_proxy.multipart import BOUNDARY, Malformed, PartNames
from app.web.body import declared_length
from app.web.errors import not_passed_on
from app.web.json_body import body_of, parse_json
from app.web.streamed_body import stream_body

MAX_FILE_BYTES = 110 * 1024 * 1024
"""Meta takes files of 100 megabytes at most; the form around one adds a little."""

MALFORMED = "the multipart body is ambiguous, or has something before or after its parts"
_PARAMETER = re.compile(rf'\s*(charset|boundary)=("?)({BOUNDARY})\2\s*', re.ASCII | re.IGNORECASE)
JSON, FORM, BYTES = "application/json", "application/x-www-form-urlencoded", "application/octet-stream"


@dataclass(frozen=True)
class Body:
    """The body of a call as it is sent to Meta. `length`: the bytes of a stream. `kind`: the Content-Type."""

    content: bytes | Iterator[bytes] = b""
    length: int | None = None
    kind: str | None = None


def checked_body(request: Request, call: GraphPath) -> Body:
    """Return the body to send to Meta. Raises `ApiError` if it is too large or has a field that is not passed on.

    A stream is checked while it is read: the error breaks the request to Meta off before its end. The bytes of an
    upload session are not checked: Meta reads no fields out of them.
    """
    length = declared_length(request.environ)
    if length == 0:
        return Body()
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise not_passed_on("a body must have no Content-Encoding")
    if call.path.lower().startswith(UPLOAD_SESSION):
        return Body(stream_body(request.environ, MAX_FILE_BYTES), length, BYTES)
    boundary = _boundary(request)
    match request.mimetype:
        case "application/json":
            return Body(_checked_json(request), kind=JSON)
        case "application/x-www-form-urlencoded":
            return Body(_checked_form(request), kind=FORM)
        case "multipart/form-data":
            parts = _checked_parts(stream_body(request.environ, MAX_FILE_BYTES), boundary)
            return Body(parts, length, f"multipart/form-data; boundary={boundary}")
        case _:
            raise not_passed_on("the body must be JSON, a form, or multipart with a file")


def _checked_json(request: Request) -> bytes:
    body = body_of(request)
    document = parse_json(body)
    if not isinstance(document, dict):
        raise not_passed_on("the JSON must be an object")
    _check(document)
    if any("fields" in plain_names(name) and asks_for_token(value) for name, value in document.items()):
        raise not_passed_on(ASKED)
    return body


def _checked_form(request: Request) -> bytes:
    body = body_of(request)
    if reason := refused_form(body.decode("latin-1")):
        raise not_passed_on(reason)
    return body


def _boundary(request: Request) -> str:
    """Return the boundary in the Content-Type; raise `ApiError` if another parser might find a different one."""
    written = [part for part in (request.content_type or "").split(";")[1:] if part.strip()]
    matches = [match for part in written if (match := _PARAMETER.fullmatch(part))]
    found = {match[1].lower(): match[3] for match in matches}
    if len(found) != len(written) or found.get("charset", "utf-8").lower() != "utf-8":
        raise not_passed_on(
            "the Content-Type may have a boundary of letters, digits and `_+.-`, and charset=utf-8, and nothing else"
        )
    if request.mimetype == "multipart/form-data" and "boundary" not in found:
        raise not_passed_on("the Content-Type of a multipart body must have a boundary")
    return found.get("boundary", "")


def _checked_parts(pieces: Iterator[bytes], boundary: str) -> Iterator[bytes]:
    """Yield the pieces of a multipart body; the last one only after the whole body was checked."""
    names, held = PartNames(boundary.encode()), b""
    try:
        for piece in pieces:
            _check_parts(names.feed(piece))
            if held:
                yield held
            held = piece
        names.finish()
    except Malformed as error:
        raise not_passed_on(MALFORMED) from error
    yield held


def _check_parts(names: list[str]) -> None:
    """Check the names of parts. Their values are not read, so that a part named `fields` is refused."""
    _check(names)
    if any("fields" in plain_names(name) for name in names):
        raise not_passed_on("with a file, `fields` must be in the query")


def _check(names: Iterable[str]) -> None:
    if reason := refused_field(names):
        raise not_passed_on(reason)
