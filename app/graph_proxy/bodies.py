"""The body of a call: its fields are looked through for what is not passed on, and a file is streamed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Request

from app.domain.meta.graph_fields import ASKED, asks_for_token, plain_names, refused_field, refused_form
from app.domain.meta.graph_path import UPLOAD_SESSION, GraphPath
from app.graph_proxy.multipart import BOUNDARY, Malformed, PartNames
from app.web.body import declared_length
from app.web.errors import ApiError
from app.web.json_body import body_of, parse_json
from app.web.streamed_body import stream_body

MAX_FILE_BYTES = 110 * 1024 * 1024
"""Meta's largest files have 100 megabytes; a form is around them."""

MALFORMED = "the multipart body may be read in two ways, or something stands around its parts"
_PARAMETER = re.compile(rf'\s*(charset|boundary)=("?)({BOUNDARY})\2\s*', re.ASCII | re.IGNORECASE)
JSON, FORM, BYTES = "application/json", "application/x-www-form-urlencoded", "application/octet-stream"


@dataclass(frozen=True)
class Body:
    """The body of a call as Meta gets it. `length`: of a stream. `kind`: its Content-Type, written by us."""

    content: bytes | Iterator[bytes] = b""
    length: int | None = None
    kind: str | None = None


def checked_body(request: Request, call: GraphPath) -> Body:
    """Return the body of a call as it is passed on. Raises `ApiError` if a field of it is refused, or too large.

    Of a stream the error comes while it is read: Meta then never gets the end of it. What is uploaded in a session is
    not looked at: it is sent as bytes, in which nobody looks for fields.
    """
    length = declared_length(request.environ)
    if length == 0:
        return Body()
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _refusal("a body is sent as it is, without a Content-Encoding")
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
            raise _refusal("the body must be JSON, a form, or multipart with a file")


def _checked_json(request: Request) -> bytes:
    body = body_of(request)
    document = parse_json(body)
    if not isinstance(document, dict):
        raise _refusal("the JSON must be an object")
    _check(document)
    if any("fields" in plain_names(name) and asks_for_token(value) for name, value in document.items()):
        raise _refusal(ASKED)
    return body


def _checked_form(request: Request) -> bytes:
    body = body_of(request)
    if reason := refused_form(body.decode("latin-1")):
        raise _refusal(reason)
    return body


def _boundary(request: Request) -> str:
    """Return the boundary in the Content-Type; raise `ApiError` if another reader might find another one."""
    written = [part for part in (request.content_type or "").split(";")[1:] if part.strip()]
    matches = [match for part in written if (match := _PARAMETER.fullmatch(part))]
    found = {match[1].lower(): match[3] for match in matches}
    if len(found) != len(written) or found.get("charset", "utf-8").lower() != "utf-8":
        raise _refusal(
            "of the Content-Type only a boundary of letters, digits and `_+.-`, and charset=utf-8, may stand"
        )
    if request.mimetype == "multipart/form-data" and "boundary" not in found:
        raise _refusal("the Content-Type of a multipart body must have a boundary")
    return found.get("boundary", "")


def _checked_parts(pieces: Iterator[bytes], boundary: str) -> Iterator[bytes]:
    """Yield a multipart body, its end only when all of it was looked at and is well-formed."""
    names, held = PartNames(boundary.encode()), b""
    try:
        for piece in pieces:
            _check_parts(names.feed(piece))
            if held:
                yield held
            held = piece
        names.finish()
    except Malformed as error:
        raise _refusal(MALFORMED) from error
    yield held


def _check_parts(names: list[str]) -> None:
    """Check the names of parts. Their values are not looked at, so that `fields` stands in the query only."""
    _check(names)
    if any("fields" in plain_names(name) for name in names):
        raise _refusal("beside a file, `fields` stands in the query")


def _check(names: Iterable[str]) -> None:
    if reason := refused_field(names):
        raise _refusal(reason)


def _refusal(reason: str) -> ApiError:
    return ApiError("not_passed_on", f"wats does not pass this on: {reason}.")
